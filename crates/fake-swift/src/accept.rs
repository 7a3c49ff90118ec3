//! Which of several formats an `Accept` header asks for (RFC 9110, section 12.5.1).

/// What Swift offers where it offers a choice; of these, XML is not modelled.
pub(crate) const FORMATS: &[&str] = &["text/plain", "application/json", "application/xml", "text/xml"];

/// The best of `offers` for the client, the first of them where it has no wish. `None`: it wants none of them, or
/// its header cannot be read.
pub(crate) fn choose(header: Option<&str>, offers: &[&'static str]) -> Option<&'static str> {
    let mut wishes = Vec::new();
    for wish in header.unwrap_or_default().split(',').filter(|wish| !wish.trim().is_empty()) {
        let mut parts = wish.split(';').map(str::trim);
        let (kind, sub) = parts.next()?.split_once('/')?;
        let quality = match parts.find_map(|parameter| parameter.strip_prefix("q=")) {
            Some(quality) => quality.parse::<f64>().ok()?,
            None => 1.0,
        };
        wishes.push((quality, kind != "*" && sub != "*", kind, sub));
    }
    if wishes.is_empty() {
        return offers.first().copied();
    }
    // Best quality first, then what is spelled out before what has a `*`, then as the client has them.
    wishes.sort_by(|one, other| {
        (other.0, other.1).partial_cmp(&(one.0, one.1)).unwrap_or(std::cmp::Ordering::Equal)
    });
    wishes.iter().find_map(|(_, _, kind, sub)| {
        offers.iter().copied().find(|offer| {
            let (offered_kind, offered_sub) = offer.split_once('/').unwrap_or_default();
            (*kind == "*" || *kind == offered_kind) && (*sub == "*" || *sub == offered_sub)
        })
    })
}

#[cfg(test)]
mod tests;
