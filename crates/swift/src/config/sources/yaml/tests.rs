use super::*;

/// A node in one line.
fn shown(node: &Node) -> String {
    match node {
        Node::Text { text, line } => format!("{text:?}@{line}"),
        Node::Mapping(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(key, node)| format!("{key}: {}", shown(node))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Node::Other => "-".to_owned(),
    }
}

fn read(text: &str) -> String {
    load(text).map_or_else(|fault| format!("line {} {}", fault.line, fault.reason), |node| shown(&node))
}

#[test]
fn texts_keep_what_was_written_and_where() {
    assert_eq!(read("a: 007\nb:\n  c: 'x: y'\n"), r#"{a: "007"@1, b: {c: "x: y"@3}}"#);
    assert_eq!(read("{\"a\": \"\\u0062\", \"c\": {\"d\": 1}}"), r#"{a: "b"@1, c: {d: "1"@1}}"#);
    assert_eq!(read("a: ~\nb: 'null'\nc:\nd: [1, {e: 2}]\n"), r#"{a: -, b: "null"@2, c: -, d: -}"#);
    assert_eq!(read("a: 1\na: 2\n"), r#"{a: "2"@2}"#);
    assert_eq!(read(""), "-");
    assert_eq!(read("# nothing\n---\n"), "-");
}

#[test]
fn aliases_and_merges_are_resolved() {
    let text = "x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: *x\n";
    assert_eq!(read(text), r#"{x: {a: "1"@1, b: "2"@1}, y: {b: "3"@2, a: "1"@1}, z: {a: "1"@1, b: "2"@1}}"#);
}

#[test]
fn faults_are_told_by_their_line() {
    assert_eq!(read("a: 1\n? [b]\n: c\n"), "line 2 has a key that is no text");
    assert_eq!(read("a: 1\n<<: 2\n"), "line 2 merges (<<) what is no mapping");
    assert_eq!(read("a: 1\nb: [\n"), "line 2 is no YAML: unclosed bracket '['");
    let bomb: String = (0..9).fold("a0: &a0 {b: 1, c: 1}\n".to_owned(), |text, level| {
        let next = level + 1;
        let aliases: Vec<_> = (0..9).map(|key| format!("k{key}: *a{level}")).collect();
        text + &format!("a{next}: &a{next} {{{}}}\n", aliases.join(", "))
    });
    assert!(read(&bomb).contains("more than 10000 values"), "{}", read(&bomb));
    let deep = format!("a: {}{}", "{b: ".repeat(40), "}".repeat(40));
    assert!(read(&deep).contains("is no YAML"), "{}", read(&deep));
}
