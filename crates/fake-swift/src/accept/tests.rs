use super::*;

const OFFERS: &[&str] = &["text/plain", "application/json"];

#[test]
fn the_first_offer_is_for_those_without_a_wish() {
    assert_eq!(choose(None, OFFERS), Some("text/plain"));
    assert_eq!(choose(Some("*/*"), OFFERS), Some("text/plain"));
}

#[test]
fn quality_decides_then_the_more_precise_wish() {
    assert_eq!(choose(Some("application/json"), OFFERS), Some("application/json"));
    assert_eq!(choose(Some("text/plain;q=0.5, application/json;q=0.9"), OFFERS), Some("application/json"));
    assert_eq!(choose(Some("*/*, application/json"), OFFERS), Some("application/json"));
    assert_eq!(choose(Some("application/*"), OFFERS), Some("application/json"));
}

#[test]
fn nothing_suits_or_makes_sense() {
    assert_eq!(choose(Some("image/png"), OFFERS), None);
    assert_eq!(choose(Some("json"), OFFERS), None);
    assert_eq!(choose(Some("text/plain;q=high"), OFFERS), None);
}
