use http::HeaderValue;
use proptest::prelude::*;

use super::*;
use crate::elements::work;

const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

fn accept(lines: &[&str]) -> HeaderMap {
    lines.iter().map(|line| (header::ACCEPT, HeaderValue::from_bytes(line.as_bytes()).unwrap())).collect()
}

#[test]
fn the_closest_word_counts() {
    for (lines, expected) in [
        (&[][..], None),
        (&[""], None),
        (&["*/*"], Some(true)),
        (&["*"], Some(true)),
        (&["application/*"], Some(true)),
        (&["Application/VND.docker.distribution.manifest.LIST.v2+json"], Some(true)),
        (&["text/*"], None),
        (&["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"], Some(true)),
        (&["*/*;q=0"], Some(false)),
        (&["*/*;q=0.000"], Some(false)),
        (&["*/*;q=0.001"], Some(true)),
        (&["*/*;Q=\"0\""], Some(false)),
        (&["*/*;q="], Some(true)),
        (&["*/*;q=none"], Some(true)),
        (&["application/*;q=0, */*"], Some(false)),
        (&["*/*", "application/*;q=0"], Some(false)),
        (&["*/*;q=0", "a/b", "application/vnd.docker.distribution.manifest.list.v2+json;q=0.1"], Some(true)),
        (&["application/vnd.docker.distribution.manifest.list.v2+json;q=0, */*"], Some(false)),
        (&["application/vnd.docker.distribution.manifest.list.v2+json; a=\"x,*/*;q=0\"; q=1"], Some(true)),
        (&["application/vnd.docker.distribution.manifest.v2+json"], None),
        (&["application/vnd.docker.distribution.manifest.list.v2+jsonx"], None),
        (&["/*, /, ;, =, \"*/*"], None),
        (&["\u{e9}", "*/*"], Some(true)),
    ] {
        assert_eq!(takes(&accept(lines), LIST), expected, "{lines:?}");
    }
}

proptest! {
    #[test]
    fn any_value_is_an_answer(line in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(value) = HeaderValue::from_bytes(&line) {
            let _ = takes(&HeaderMap::from_iter([(header::ACCEPT, value)]), LIST);
        }
    }

    #[test]
    fn what_is_named_is_taken_unless_its_weight_is_zero(others in "([a-z]{1,8}/[a-z]{1,8}(;q=0(\\.[0-9]{1,3})?)?, ?){0,6}", weight in 0_u16..=1000) {
        let line = format!("{others}{LIST};q={}.{:03}", weight / 1000, weight % 1000);
        prop_assert_eq!(takes(&accept(&[&line]), LIST), Some(weight > 0));
    }
}

/// The longest head there may be, of whatever brings a parser to its knees: each character is looked at twice, once for commas
/// and once for semicolons.
#[test]
fn a18_the_longest_header_is_read_in_two_passes() {
    const LONGEST: usize = 64 << 10;
    for piece in [
        ",",
        ";",
        "\"",
        "\\",
        "\\\"",
        "\"\\",
        "a/b;q=\"",
        "*/*,",
        "a/b;q=0.",
        ";q=0;q=0",
        " ",
        "\t ,",
        "a/*;",
        "q=",
        "/",
        "a/b;x=\"\\\",\\\"\";",
        "application/vnd.oci.image.manifest.v1+json,",
    ] {
        let line = piece.repeat(LONGEST / piece.len());
        for (lines, length) in [(vec![&*line], line.len()), (vec![&line[..line.len() / 2]; 2], line.len())] {
            let headers = accept(&lines);
            let _ = work::take();
            let _ = takes(&headers, "application/vnd.oci.image.manifest.v1+json");
            let done = work::take();
            assert!(done <= 2 * length, "{piece:?}: {done} steps for {length} characters");
        }
    }
}

proptest! {
    #[test]
    fn a18_no_header_makes_more_work_than_it_has_characters(line in "[\\\\\",;=q0./*a \t]{0,400}") {
        let headers = accept(&[&line]);
        let _ = work::take();
        let _ = takes(&headers, "a/a");
        prop_assert!(work::take() <= 2 * line.len());
    }
}
