//! From what the configuration says of users to what the server asks: `auth` is how they sign in, `access` what they may do.

use apus_auth::{
    FileError, Gate, Htpasswd, Pattern, Permission, Policy, ProtectedTags, Rule, SignIn, TokenIssuer,
    TokenOptions, TokenVerifier, Who,
};
use apus_config::{
    AccessConfig, AccessPermission, AccessRule, AccessSubject, AuthConfig, Config, ConfigError, Loaded,
    Place, SigningAlgorithm, Source, TokenAuthConfig,
};
use apus_registry::Registry;
use apus_server::Authorization;

use crate::shared_key::SharedKey;

/// A file that says who may come in cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    /// The file of users.
    #[error("auth.htpasswd: nobody could sign in; htpasswd -B -c FILE USER makes such a file")]
    Users(#[source] FileError),
    /// The files of keys.
    #[error("auth.token: no token could be believed")]
    Keys(#[source] FileError),
}

/// Opens the files of users or keys, and puts the policy over them. Tokens of this registry's own are signed by a key out of the
/// secret that its replicas share in storage; `stored` is what lies there, whatever is shown.
pub(crate) fn open(
    config: &Config,
    policy: Option<Policy>,
    stored: &Registry,
) -> Result<Authorization, SignInError> {
    let (sign_in, token_path) = match &config.auth {
        None | Some(AuthConfig::Nobody) => (SignIn::Open, None),
        Some(AuthConfig::Htpasswd { realm, path, tokens }) => {
            let users = Htpasswd::open(path).map_err(SignInError::Users)?;
            warn("auth.htpasswd.path", &users.complaints());
            let anonymous = policy.as_ref().is_some_and(Policy::allows_anonymous);
            let tokens =
                tokens.unwrap_or(anonymous).then(|| TokenIssuer::new(SharedKey::of_users(config, stored)));
            if tokens.is_some() {
                tracing::info!(
                    "clients are asked for tokens, which they get for their password at /v2/token"
                );
            }
            (SignIn::Htpasswd { users: Box::new(users), realm: realm.clone(), tokens }, None)
        }
        Some(AuthConfig::Token(token)) => {
            let verifier = TokenVerifier::open(token_options(token)).map_err(SignInError::Keys)?;
            warn("auth.token", &verifier.complaints());
            let sign_in = SignIn::Token { verifier: Box::new(verifier), realm: token.realm.clone() };
            (sign_in, token.auto_redirect.clone())
        }
    };
    Ok(Authorization::new(Gate::new(sign_in, policy), token_path))
}

fn warn(key: &str, complaints: &[String]) {
    for complaint in complaints {
        tracing::warn!("{key}: {complaint}");
    }
}

fn token_options(token: &TokenAuthConfig) -> TokenOptions {
    TokenOptions {
        issuer: token.issuer.clone(),
        service: token.service.clone(),
        algorithms: token.signing_algorithms.iter().copied().map(algorithm).collect(),
        root_cert_bundle: token.root_cert_bundle.clone(),
        jwks: token.jwks.clone(),
    }
}

fn algorithm(algorithm: SigningAlgorithm) -> apus_auth::SigningAlgorithm {
    use apus_auth::SigningAlgorithm as Algorithm;
    match algorithm {
        SigningAlgorithm::EdDsa => Algorithm::EdDsa,
        SigningAlgorithm::Es256 => Algorithm::Es256,
        SigningAlgorithm::Es384 => Algorithm::Es384,
        SigningAlgorithm::Es512 => Algorithm::Es512,
        SigningAlgorithm::Ps256 => Algorithm::Ps256,
        SigningAlgorithm::Ps384 => Algorithm::Ps384,
        SigningAlgorithm::Ps512 => Algorithm::Ps512,
        SigningAlgorithm::Rs256 => Algorithm::Rs256,
        SigningAlgorithm::Rs384 => Algorithm::Rs384,
        SigningAlgorithm::Rs512 => Algorithm::Rs512,
    }
}

/// What the operator allows; `None` where there is no `access`. An error names the place of what is no pattern.
pub(crate) fn policy(loaded: &Loaded) -> Result<Option<Policy>, ConfigError> {
    let Some(AccessConfig { groups, rules, protected_tags }) = &loaded.config.access else { return Ok(None) };
    let rules = match rules {
        Some(rules) => {
            let rules = rules.iter().enumerate();
            rules.map(|(at, rule)| self::rule(rule, &format!("access.rules[{at}]"), loaded)).collect()
        }
        None => Ok(vec![everything_for_whoever_is_in(loaded.config.auth.as_ref(), loaded)?]),
    };
    let protected = |(at, protected): (usize, &apus_config::ProtectedTags)| {
        let key = format!("access.protectedtags[{at}]");
        Ok(ProtectedTags {
            repositories: patterns(&protected.repositories, &format!("{key}.repositories"), loaded)?,
            tags: patterns(&protected.tags, &format!("{key}.tags"), loaded)?,
        })
    };
    Ok(Some(Policy {
        groups: groups.iter().map(|(name, users)| (name.clone(), users.iter().cloned().collect())).collect(),
        rules: rules?,
        protected_tags: protected_tags.iter().enumerate().map(protected).collect::<Result<_, _>>()?,
    }))
}

/// What holds where there are no rules. A token without a subject may do what it grants.
fn everything_for_whoever_is_in(auth: Option<&AuthConfig>, loaded: &Loaded) -> Result<Rule, ConfigError> {
    use Permission::{Catalog, Delete, Overwrite, Pull, Push};
    let who = match auth {
        Some(AuthConfig::Htpasswd { .. }) => Who::SignedIn,
        Some(AuthConfig::Token(_) | AuthConfig::Nobody) | None => Who::Everyone,
    };
    Ok(Rule {
        who: vec![who],
        may: vec![Pull, Push, Overwrite, Delete, Catalog],
        repositories: patterns(&["**".to_owned()], "access.rules", loaded)?,
    })
}

fn rule(rule: &AccessRule, key: &str, loaded: &Loaded) -> Result<Rule, ConfigError> {
    let who = |subject: &AccessSubject| match subject {
        AccessSubject::User(name) => Who::User(name.clone()),
        AccessSubject::Group(name) => Who::Group(name.clone()),
        AccessSubject::Anonymous => Who::Anonymous,
        AccessSubject::SignedIn => Who::SignedIn,
        AccessSubject::Everyone => Who::Everyone,
    };
    let may = |permission: &AccessPermission| match permission {
        AccessPermission::Pull => Permission::Pull,
        AccessPermission::Push => Permission::Push,
        AccessPermission::Overwrite => Permission::Overwrite,
        AccessPermission::Delete => Permission::Delete,
        AccessPermission::Catalog => Permission::Catalog,
    };
    Ok(Rule {
        who: rule.who.iter().map(who).collect(),
        may: rule.may.iter().map(may).collect(),
        repositories: patterns(&rule.repositories, &format!("{key}.repositories"), loaded)?,
    })
}

fn patterns(texts: &[String], key: &str, loaded: &Loaded) -> Result<Vec<Pattern>, ConfigError> {
    let pattern = |(at, text): (usize, &String)| {
        text.parse().map_err(|error: apus_auth::PatternError| {
            let key = format!("{key}[{at}]");
            ConfigError::Unsupported { place: place_of(&key, loaded), key, reason: error.to_string() }
        })
    };
    texts.iter().enumerate().map(pattern).collect()
}

/// Where a setting was made.
fn place_of(key: &str, loaded: &Loaded) -> Place {
    let setting = loaded.effective.settings().into_iter().find(|setting| setting.key == key);
    setting.map_or(Place { source: Source::Default, line: 1, column: 1 }, |setting| setting.source)
}

#[cfg(test)]
mod tests;
