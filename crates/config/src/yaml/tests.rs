use std::fmt::Write as _;
use std::sync::Arc;

use super::load;
use crate::tree::{Node, Value};

/// The tree in one line, each key and each scalar with its place; quoted scalars in quotes.
fn shape(node: &Node) -> String {
    let mut out = String::new();
    write_shape(node, &mut out);
    out
}

fn write_shape(node: &Node, out: &mut String) {
    match &node.value {
        Value::Scalar(scalar) => {
            let quote = if scalar.plain { "" } else { "'" };
            let text = &scalar.text;
            write!(out, "{quote}{text}{quote}@{}:{}", node.place.line, node.place.column).unwrap();
        }
        Value::Sequence(items) => {
            out.push('[');
            for item in items {
                write_shape(item, out);
                out.push(' ');
            }
            out.push(']');
        }
        Value::Mapping(entries) => {
            out.push('{');
            for entry in entries {
                write!(out, "{}@{}:{}=", entry.key, entry.key_place.line, entry.key_place.column).unwrap();
                write_shape(&entry.node, out);
                out.push(' ');
            }
            out.push('}');
        }
    }
}

fn tree(text: &str) -> String {
    match load(text, &Arc::from("c.yml")) {
        Ok(node) => shape(&node),
        Err(error) => panic!("{text:?}: {error}"),
    }
}

fn error(text: &str) -> String {
    match load(text, &Arc::from("c.yml")) {
        Ok(node) => panic!("{text:?} gave {}", shape(&node)),
        Err(error) => error.to_string(),
    }
}

#[test]
fn keeps_text_style_and_place() {
    assert_eq!(
        tree("a: 007\nb:\n  - 1e5\n  - \"x\\ty\"\n  - 'no'\n  - !!str yes\n  - ! on\n  - !!int 3\n"),
        "{a@1:1=007@1:4 b@2:1=[1e5@3:5 'x\ty'@4:5 'no'@5:5 'yes'@6:11 'on'@7:7 3@8:11 ] }"
    );
    assert_eq!(tree("é: {ü: ö}"), "{é@1:1={ü@1:5=ö@1:8 } }");
    assert_eq!(tree("a: |\n  x"), "{a@1:1='x'@2:3 }", "no line feed that is not in the file");
    assert_eq!(tree("a: |\n  x\n  y\nb: >-\n  x\n  y\n"), "{a@1:1='x\ny\n'@2:3 b@4:1='x y'@5:3 }");
}

#[test]
fn an_absent_value_is_null_where_it_would_stand() {
    assert_eq!(tree("a:\nb: ~\n"), "{a@1:1=~@1:2 b@2:1=~@2:4 }");
    assert_eq!(tree(""), "@1:1");
    assert_eq!(tree("# nothing\n"), "@2:1");
    assert_eq!(tree("---\na: 1\n...\n"), "{a@2:1=1@2:4 }");
    assert_eq!(tree("\u{feff}a: 1\n"), "{a@1:1=1@1:4 }");
    assert_eq!(tree("a: 1\r\nb:\r\n  - 2\r\n"), "{a@1:1=1@1:4 b@2:1=[2@3:5 ] }");
    assert_eq!(tree("%YAML 1.1\n---\na: 1\n"), "{a@3:1=1@3:4 }");
}

#[test]
fn an_alias_is_a_copy_with_the_places_of_the_original() {
    assert_eq!(tree("a: &x [1]\nb: *x\n"), "{a@1:1=[1@1:8 ] b@2:1=[1@1:8 ] }");
    assert_eq!(tree("a: &x 1\nb: &x 2\nc: *x\n"), "{a@1:1=1@1:7 b@2:1=2@2:7 c@3:1=2@2:7 }");
    assert_eq!(tree("a: &x k\n*x : 1\n"), "{a@1:1=k@1:7 k@2:1=1@2:6 }");
}

#[test]
fn a_merge_adds_what_is_not_there() {
    assert_eq!(
        tree("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n"),
        "{a@1:1={x@1:8=1@1:11 y@1:14=2@1:17 } b@2:1={y@4:3=3@4:6 x@1:8=1@1:11 }}".replace(" }}", " } }")
    );
    assert_eq!(
        tree("b: {<<: [{x: 1}, {x: 2, z: 3}]}\n"),
        "{b@1:1={x@1:11=1@1:14 z@1:25=3@1:28 } }",
        "the earlier of two merged mappings wins"
    );
    assert_eq!(tree("'<<': 1\n"), "{<<@1:1=1@1:7 }", "in quotes it is a key like any other");
}

#[test]
fn refuses_with_the_place() {
    for (text, message) in [
        ("a: 1\nb: 2\na: 3\n", "c.yml:3:1: a: given twice, first at c.yml:1:1"),
        ("a: {b: 1, 'b': 2}\n", "c.yml:1:11: b: given twice, first at c.yml:1:5"),
        ("x: &x {}\n<<: *x\n<<: *x\n", "c.yml:3:1: <<: given twice, first at c.yml:2:1"),
        ("a: &a [*a]\n", "c.yml:1:8: not a valid YAML configuration: an alias inside of what it stands for"),
        ("a: *b\n", "c.yml:1:4: not a valid YAML configuration: while parsing node, found unknown anchor"),
        ("<<: 1\n", "c.yml:1:5: not a valid YAML configuration: `<<` merges a mapping or a list of mappings"),
        (
            "<<: [1]\n",
            "c.yml:1:6: not a valid YAML configuration: `<<` merges a mapping or a list of mappings",
        ),
        (
            "? [a]\n: 1\n",
            "c.yml:1:3: not a valid YAML configuration: a key must be a plain text, not a list or a mapping",
        ),
        (
            "a: !secret b\n",
            "c.yml:1:12: not a valid YAML configuration: a tag that has no meaning here; \
             a text that begins with `!` needs quotes",
        ),
        (
            "a: !!binary aGk=\n",
            "c.yml:1:13: not a valid YAML configuration: a tag that has no meaning here; \
             a text that begins with `!` needs quotes",
        ),
        (
            "a: 1\n---\nb: 1\n",
            "c.yml:2:1: not a valid YAML configuration: a second document begins here; \
             a configuration is one document",
        ),
        ("a: \"b\n", "c.yml:1:4: not a valid YAML configuration: unclosed quote"),
        ("a: {b: 1\n", "c.yml:1:4: not a valid YAML configuration: unclosed bracket '{'"),
    ] {
        assert_eq!(error(text), message, "{text:?}");
    }
}

#[test]
fn an_alias_bomb_does_not_go_off() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = level - 1;
        writeln!(bomb, "a{level}: &a{level} [{}*a{below}]", format!("*a{below}, ").repeat(8)).unwrap();
    }
    assert_eq!(
        error(&bomb),
        "c.yml:5:10: not a valid YAML configuration: more than 10000 values, aliases included"
    );
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("a: {}{}\n", "[".repeat(depth), "]".repeat(depth));
    assert!(load(&nested(32), &Arc::from("c.yml")).is_ok());
    assert!(error(&nested(33)).starts_with("c.yml:1:36: not a valid YAML configuration: "));
    assert!(error(&"- ".repeat(100_000)).starts_with("c.yml:1:65: not a valid YAML configuration: "));
}

/// Whatever character a password without quotes begins with, or holds, no error repeats it.
#[test]
fn no_error_quotes_the_file() {
    let mut refused = 0;
    for character in (' '..='~').chain(['\t', '\u{0}', '\u{85}', 'é']) {
        for password in
            [format!("{character}hunter2"), format!("hun{character}hunter2"), format!("{character} hunter2")]
        {
            for text in [
                format!("password: {password}\n"),
                format!("{{password: {password}, b: c}}"),
                format!("password: \"{password}\nb: c\n"),
                format!("- '{password}' {password}\n"),
            ] {
                if let Err(error) = load(&text, &Arc::from("c.yml")) {
                    refused += 1;
                    assert!(!format!("{error} {error:?}").contains("hunter2"), "{text:?}: {error}");
                }
            }
        }
    }
    assert!(refused > 300, "only {refused} of these texts were refused");
}

/// The parser stands at the edge: whatever a file holds, it answers with a tree or an error.
#[test]
fn no_piece_of_a_file_panics() {
    let text = "version: 0.1\nstorage: &s {swift: {password: \"pä\\x41ss\", <<: [*x, !!str {}]}}\n? |\n  k\n: >-\n\t-\n";
    for start in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
        for end in (start..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            if let Err(error) = load(&text[start..end], &Arc::from("c.yml")) {
                let place = error.place().expect("a fault in the text has a place");
                assert!(place.line >= 1 && place.column >= 1);
            }
        }
    }
}
