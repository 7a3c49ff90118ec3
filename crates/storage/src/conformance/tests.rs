/// Each theme's name and source.
const THEMES: [(&str, &str); 9] = [
    ("objects", include_str!("objects.rs")),
    ("ranges", include_str!("ranges.rs")),
    ("writing", include_str!("writing.rs")),
    ("staging", include_str!("staging.rs")),
    ("publishing", include_str!("publishing.rs")),
    ("deleting", include_str!("deleting.rs")),
    ("listing", include_str!("listing.rs")),
    ("concurrency", include_str!("concurrency.rs")),
    ("urls", include_str!("urls.rs")),
];

#[test]
fn every_case_is_in_the_suite() {
    let listed: &[(&str, &str)] = crate::conformance_cases! { conformance_names () };
    for (theme, source) in THEMES {
        let written: Vec<&str> =
            source.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next()).collect();
        let listed: Vec<&str> = listed.iter().filter(|(of, _)| *of == theme).map(|(_, case)| *case).collect();
        assert_eq!(listed, written, "{theme}");
    }
}
