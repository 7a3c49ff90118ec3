//! `http.debug`

use super::common::http_path;
use crate::section::Section;
use crate::{ConfigError, DebugConfig, ListenAddress, Warning};

/// `None` without an address, as in registry:2.
pub(super) fn read(
    mut section: Section,
    warnings: &mut Vec<Warning>,
) -> Result<Option<DebugConfig>, ConfigError> {
    let addr = section.parse("addr", super::http::ADDR, ListenAddress::parse)?;
    let key = section.given("prometheus");
    let mut prometheus = section.section("prometheus")?;
    let enabled = prometheus.boolean("enabled")?.unwrap_or(false);
    let path = prometheus.parse("path", "a path that begins with a slash, such as /metrics", http_path)?;
    prometheus.finish(warnings);
    section.finish(warnings);
    if let (true, None, Some(key)) = (enabled, &addr, key) {
        warnings.push(key.warning("without effect, for http.debug.addr is not given"));
    }
    let metrics_path = enabled.then(|| path.unwrap_or_else(|| "/metrics".to_owned()));
    Ok(addr.map(|addr| DebugConfig { addr, metrics_path }))
}
