//! `auth`: one way to sign in, or none.

use std::path::PathBuf;

use super::common::{path, spell_out};
use super::{web_url, word};
use crate::section::{Field, Section};
use crate::{AuthConfig, ConfigError, SigningAlgorithm, TokenAuthConfig, Warning};

const REALM: &str = "what a client shows to the person who is asked for a password";

pub(super) fn read(
    auth: Option<Field>,
    warnings: &mut Vec<Warning>,
) -> Result<Option<AuthConfig>, ConfigError> {
    let Some(auth) = auth.map(spell_out) else { return Ok(None) };
    let mut section = auth.section()?;
    let ways = ["htpasswd", "token", "none", "silly"].map(|name| section.take(name));
    if let Some(stranger) = section.take_rest().first() {
        return Err(stranger.key.unsupported(&format!(
            "Apus does not know this way to sign in; expected htpasswd, token or none{}",
            section.suggestion(&stranger.key.name)
        )));
    }
    let [htpasswd, token, none, silly] = ways;
    if let Some(silly) = silly {
        return Err(silly.key.unsupported(
            "it lets in whoever sends any Authorization at all; use htpasswd or token, or \"auth: none\" to let in everyone",
        ));
    }
    let mut given = [htpasswd, token, none].into_iter().flatten();
    let Some(way) = given.next() else { return Ok(None) };
    if let Some(second) = given.next() {
        return Err(second
            .key
            .unsupported(&format!("a second way to sign in, beside {:?}; give one", way.key.name)));
    }
    match way.key.name.as_str() {
        "htpasswd" => by_htpasswd(way.section()?, warnings).map(Some),
        "token" => by_token(way.section()?, warnings).map(Some),
        _none => Ok(Some(AuthConfig::Nobody)),
    }
}

fn by_htpasswd(mut section: Section, warnings: &mut Vec<Warning>) -> Result<AuthConfig, ConfigError> {
    let realm = section.text("realm")?;
    let file = path(&mut section, "path")?;
    let auth = AuthConfig::Htpasswd {
        realm: section.required("realm", REALM, realm)?,
        path: section.required("path", "a file as Apache's htpasswd writes it", file)?,
        tokens: section.boolean("tokens")?,
    };
    section.finish(warnings);
    Ok(auth)
}

fn by_token(mut section: Section, warnings: &mut Vec<Warning>) -> Result<AuthConfig, ConfigError> {
    let realm_key = section.given("realm");
    let realm = section.text("realm")?;
    let auto_redirect = auto_redirect(&mut section, warnings)?;
    if let (None, Some(key), Some(realm)) = (&auto_redirect, realm_key, &realm)
        && web_url(realm).is_none()
    {
        warnings.push(key.warning("no http or https URL, so no client will find out where to get a token"));
    }
    let realm = if auto_redirect.is_some() { realm.or(Some(String::new())) } else { realm };

    let service = section.text("service")?;
    let issuer = section.text("issuer")?;
    let (root_cert_bundle, jwks) = keys(&mut section)?;
    let auth = TokenAuthConfig {
        realm: section.required("realm", "the URL of the token server", realm)?,
        service: section.required("service", "the name that tokens have for this registry", service)?,
        issuer: section.required("issuer", "the name of the token server in its tokens", issuer)?,
        root_cert_bundle,
        jwks,
        signing_algorithms: signing_algorithms(&mut section, warnings)?,
        auto_redirect,
    };
    section.finish(warnings);
    Ok(AuthConfig::Token(Box::new(auth)))
}

fn auto_redirect(section: &mut Section, warnings: &mut Vec<Warning>) -> Result<Option<String>, ConfigError> {
    const PATH: &str = "a path that begins with a slash, such as /auth/token";
    let path_key = section.given("autoredirectpath");
    let enabled = section.boolean("autoredirect")?.unwrap_or(false);
    let is_path = |text: &str| text.starts_with('/').then(|| text.to_owned());
    let path = section.parse("autoredirectpath", PATH, is_path)?;
    if let (false, Some(key)) = (enabled, path_key) {
        warnings.push(key.warning("without effect unless autoredirect is true"));
    }
    Ok(enabled.then(|| path.unwrap_or_else(|| "/auth/token".to_owned())))
}

/// The files of the keys that sign tokens: one at least.
fn keys(section: &mut Section) -> Result<(Option<PathBuf>, Option<PathBuf>), ConfigError> {
    let bundle = path(section, "rootcertbundle")?;
    let jwks = path(section, "jwks")?;
    if bundle.is_none() && jwks.is_none() {
        let expected = "a PEM file of the certificates of the token server, or its key set in \"jwks\"";
        section.required("rootcertbundle", expected, None::<PathBuf>)?;
    }
    Ok((bundle, jwks))
}

const ALGORITHMS: [(&str, SigningAlgorithm); 10] = [
    ("EdDSA", SigningAlgorithm::EdDsa),
    ("ES256", SigningAlgorithm::Es256),
    ("ES384", SigningAlgorithm::Es384),
    ("ES512", SigningAlgorithm::Es512),
    ("PS256", SigningAlgorithm::Ps256),
    ("PS384", SigningAlgorithm::Ps384),
    ("PS512", SigningAlgorithm::Ps512),
    ("RS256", SigningAlgorithm::Rs256),
    ("RS384", SigningAlgorithm::Rs384),
    ("RS512", SigningAlgorithm::Rs512),
];

/// All, if none are given. registry 3 also takes those that share a secret, which whoever can verify can forge.
fn signing_algorithms(
    section: &mut Section,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<SigningAlgorithm>, ConfigError> {
    const SHARED: [&str; 3] = ["HS256", "HS384", "HS512"];
    let key = section.given("signingalgorithms");
    let expected = "EdDSA, or ES, PS or RS with 256, 384 or 512";
    let named = section.list("signingalgorithms", expected, |text| {
        if SHARED.contains(&text) { Some(None) } else { word(text, &ALGORITHMS).map(Some) }
    })?;
    let named = named.unwrap_or_default();
    let safe: Vec<_> = named.iter().copied().flatten().collect();
    if let Some(key) = key {
        if safe.is_empty() {
            return Err(
                key.unsupported(&format!("tokens are not signed with shared secrets; expected {expected}"))
            );
        }
        if safe.len() < named.len() {
            warnings.push(
                key.warning("HS256, HS384 and HS512 are left out: tokens are not signed with shared secrets"),
            );
        }
        return Ok(safe);
    }
    Ok(ALGORITHMS.iter().map(|(_, algorithm)| *algorithm).collect())
}
