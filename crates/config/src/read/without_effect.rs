//! Sections of registry:2 and 3 that have nothing to do in Apus, now or later: `redis`, `middleware`, `reporting`,
//! `compatibility`, `policy`, `storage.cache`, `storage.tag`. Their shape is checked all the same, so that a slip of the pen is
//! told; and who asks for something is told why nothing comes of it. What says nothing, or only what Apus does anyway, passes
//! in silence.

use super::common::{duration, no_effect, number, sections};
use crate::section::Section;
use crate::{ConfigError, Warning};

pub(super) fn read(root: &mut Section, warnings: &mut Vec<Warning>) -> Result<(), ConfigError> {
    no_effect(root, "redis", "Apus needs no Redis; each replica remembers what can never change", warnings);
    redis(root.section("redis")?.ignore_case()?, warnings)?;
    middleware(root.section("middleware")?, warnings)?;
    no_effect(root, "reporting", "Apus reports nothing to Bugsnag or New Relic; its log has it", warnings);
    reporting(root.section("reporting")?, warnings)?;
    compatibility(root.section("compatibility")?, warnings)?;
    policy(root.section("policy")?, warnings)
}

/// The keys of registry:2, and those of registry 3, which are the options of its client library.
fn redis(mut redis: Section, warnings: &mut Vec<Warning>) -> Result<(), ConfigError> {
    const TEXTS: [&str; 7] = [
        "addr",
        "username",
        "clientname",
        "sentinelusername",
        "mastername",
        "sentinelmasterset",
        "identitysuffix",
    ];
    const DURATIONS: [&str; 8] = [
        "dialtimeout",
        "readtimeout",
        "writetimeout",
        "minretrybackoff",
        "maxretrybackoff",
        "pooltimeout",
        "connmaxidletime",
        "connmaxlifetime",
    ];
    const NUMBERS: [&str; 8] = [
        "db",
        "protocol",
        "maxretries",
        "poolsize",
        "minidleconns",
        "maxidleconns",
        "maxactiveconns",
        "maxredirects",
    ];
    const SWITCHES: [&str; 8] = [
        "contexttimeoutenabled",
        "poolfifo",
        "readonly",
        "routebylatency",
        "routerandomly",
        "disableidentity",
        "disableindentity",
        "unstableresp3",
    ];
    TEXTS.into_iter().try_for_each(|name| redis.text(name).map(drop))?;
    redis.texts("addrs")?;
    redis.secret("password")?;
    redis.secret("sentinelpassword")?;
    DURATIONS.into_iter().try_for_each(|name| duration(&mut redis, name, warnings).map(drop))?;
    NUMBERS.into_iter().try_for_each(|name| number(&mut redis, name).map(drop))?;
    SWITCHES.into_iter().try_for_each(|name| redis.boolean(name).map(drop))?;

    let mut pool = redis.section("pool")?;
    number(&mut pool, "maxidle")?;
    number(&mut pool, "maxactive")?;
    duration(&mut pool, "idletimeout", warnings)?;
    pool.finish(warnings);

    let mut tls = redis.section("tls")?;
    tls.boolean("enabled")?;
    tls.text("certificate")?;
    tls.text("key")?;
    tls.texts("rootcas")?;
    tls.texts("clientcas")?;
    tls.finish(warnings);
    redis.finish(warnings);
    Ok(())
}

fn middleware(mut section: Section, warnings: &mut Vec<Warning>) -> Result<(), ConfigError> {
    for layer in ["registry", "repository", "storage"] {
        sections(&mut section, layer, "a list of middleware", |item| one_middleware(item, warnings))?;
    }
    section.finish(warnings);
    Ok(())
}

/// registry:2 ignores `disabled` here; who wrote it meant it.
fn one_middleware(mut item: Section, warnings: &mut Vec<Warning>) -> Result<(), ConfigError> {
    let disabled = item.boolean("disabled")?.unwrap_or(false);
    let key = item.given("name");
    let name = item.text("name")?;
    let name = item.required("name", "the name of a middleware", name)?;
    item.take("options"); // of any shape
    item.finish(warnings);
    let reason = match name.as_str() {
        "cloudfront" => "Apus has no S3 driver, and Cloudfront is in front of nothing else",
        "redirect" | "rewrite" => {
            "clients are sent to Swift by temporary URLs; storage.swift.tempurlhost names another host for them"
        }
        _ => "Apus has no middleware",
    };
    if let (false, Some(key)) = (disabled, key) {
        warnings.push(key.warning(&format!("no effect: {reason}")));
    }
    Ok(())
}

fn reporting(mut section: Section, warnings: &mut Vec<Warning>) -> Result<(), ConfigError> {
    let mut bugsnag = section.section("bugsnag")?;
    bugsnag.secret("apikey")?;
    bugsnag.text("releasestage")?;
    bugsnag.text("endpoint")?;
    bugsnag.finish(warnings);
    let mut newrelic = section.section("newrelic")?;
    newrelic.secret("licensekey")?;
    newrelic.text("name")?;
    newrelic.boolean("verbose")?;
    newrelic.finish(warnings);
    section.finish(warnings);
    Ok(())
}

fn compatibility(mut section: Section, warnings: &mut Vec<Warning>) -> Result<(), ConfigError> {
    let mut schema1 = section.section("schema1")?;
    let key = schema1.given("enabled");
    schema1.text("signingkeyfile")?;
    if let (Some(true), Some(key)) = (schema1.boolean("enabled")?, key) {
        warnings.push(key.warning(
            "no effect: manifests of schema 1 are not taken, and none are made out of others; those that are stored \
             are served as they are",
        ));
    }
    schema1.finish(warnings);
    section.finish(warnings);
    Ok(())
}

fn policy(mut section: Section, warnings: &mut Vec<Warning>) -> Result<(), ConfigError> {
    let mut repository = section.section("repository")?;
    let reason = "Apus does not tell images from plugins: who may push may push either";
    no_effect(&repository, "classes", reason, warnings);
    repository.texts("classes")?;
    repository.finish(warnings);
    section.finish(warnings);
    Ok(())
}

/// What can never change is kept in memory, which is what `inmemory` asks for.
pub(super) fn cache(mut section: Section, warnings: &mut Vec<Warning>) -> Result<(), ConfigError> {
    for name in ["blobdescriptor", "layerinfo"] {
        let key = section.given(name);
        let message = match (section.text(name)?.as_deref(), key) {
            (Some("redis"), Some(key)) => {
                key.warning("no effect: Apus needs no Redis; each replica remembers what can never change")
            }
            (Some(word), Some(key)) if word != "inmemory" => {
                key.warning("no such cache; expected inmemory or redis, and both are the same to Apus")
            }
            _ => continue,
        };
        warnings.push(message);
    }
    no_effect(&section, "blobdescriptorsize", "Apus bounds its memory by itself", warnings);
    number(&mut section, "blobdescriptorsize")?;
    section.finish(warnings);
    Ok(())
}

pub(super) fn tag(mut section: Section, warnings: &mut Vec<Warning>) -> Result<(), ConfigError> {
    let reason = "how many tags are looked up at once is not to be chosen";
    no_effect(&section, "concurrencylimit", reason, warnings);
    number(&mut section, "concurrencylimit")?;
    section.finish(warnings);
    Ok(())
}
