//! Where to sign in and as whom: the user of registry:2's driver, the application credentials and the token that OpenShift
//! added to it, secrets in files, and clouds that are described elsewhere. What is said in two ways is refused: whoever
//! reads the file must not have to guess which of them counts.

use std::path::PathBuf;

use super::super::{web_url, word};
use crate::section::{Key, Section};
use crate::{AuthVersion, ConfigError, SwiftCredentials, SwiftSecret, SwiftSignIn, SwiftUser, Warning};

const AUTH_VERSIONS: [(&str, Option<AuthVersion>); 6] = [
    ("0", None),
    ("1", Some(AuthVersion::V1)),
    ("1.0", Some(AuthVersion::V1)),
    ("2", Some(AuthVersion::V2)),
    ("2.0", Some(AuthVersion::V2)),
    ("3", Some(AuthVersion::V3)),
];

/// The ways to prove who signs in, each with its keys.
const WAYS: [&[&str]; 3] = [
    &["password", "passwordfile"],
    &[
        "applicationcredentialid",
        "applicationcredentialname",
        "applicationcredentialsecret",
        "applicationcredentialsecretfile",
    ],
    &["tokenid", "tokenfile"],
];

/// What a cloud says of all that has to do with signing in, beside [`WAYS`].
const SAID_BY_A_CLOUD: [&str; 11] = [
    "authurl",
    "authversion",
    "username",
    "userid",
    "domain",
    "domainid",
    "tenant",
    "tenantid",
    "tenantdomain",
    "tenantdomainid",
    "trustid",
];

pub(super) fn read(section: &mut Section, warnings: &mut Vec<Warning>) -> Result<SwiftSignIn, ConfigError> {
    if let Some(cloud) = section.text("cloud")? {
        return match first_given(section, SAID_BY_A_CLOUD.iter().chain(WAYS.into_iter().flatten())) {
            Some(key) => {
                Err(key.unsupported("given beside \"cloud\", which says this already; remove one of them"))
            }
            None => Ok(SwiftSignIn::Cloud(cloud)),
        };
    }
    let auth_url = section.parse("authurl", AUTH_URL, |text| web_url(text).map(str::to_owned))?;
    let version = section.given("authversion");
    let auth_version =
        section.parse("authversion", "1, 2, 3, or 0 to guess", |text| word(text, &AUTH_VERSIONS))?.flatten();
    let way = the_way(section)?;
    warn_of_no_effect(section, way, warnings)?;
    let credentials = credentials(section, way)?;

    let by_password =
        matches!(credentials, SwiftCredentials::Password { .. }) && section.given("trustid").is_none();
    if let (Some(AuthVersion::V1 | AuthVersion::V2), Some(key), false) = (auth_version, version, by_password)
    {
        return Err(key.unsupported("application credentials, tokens and trusts need version 3"));
    }
    Ok(SwiftSignIn::Service {
        auth_url: section.required("authurl", AUTH_URL, auth_url)?,
        auth_version,
        credentials,
    })
}

const AUTH_URL: &str = "an http or https URL without credentials, such as https://keystone.example:5000/v3";

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Password,
    ApplicationCredential,
    Token,
}

fn first_given<'a>(section: &Section, names: impl IntoIterator<Item = &'a &'static str>) -> Option<Key> {
    names.into_iter().find_map(|name| section.given(name))
}

/// The one way that is given; by a password, if none is.
fn the_way(section: &Section) -> Result<Way, ConfigError> {
    let ways = [Way::Password, Way::ApplicationCredential, Way::Token];
    let mut given =
        ways.into_iter().zip(WAYS).filter_map(|(way, keys)| Some((way, first_given(section, keys)?)));
    let Some((way, first)) = given.next() else { return Ok(Way::Password) };
    match given.next() {
        None => Ok(way),
        Some((_, second)) => Err(second.unsupported(&format!(
            "a second way to sign in, beside {:?}: give a password, an application credential or a token, and the \
             others not",
            first.name
        ))),
    }
}

/// A trust must not be ignored: it changes as whom Apus signs in. What names the project or the user once more may be.
fn warn_of_no_effect(section: &Section, way: Way, warnings: &mut Vec<Warning>) -> Result<(), ConfigError> {
    let project = ["tenant", "tenantid", "tenantdomain", "tenantdomainid"];
    let trust = section.given("trustid");
    let (names, reason): (&[&str], &str) = match (way, trust) {
        (Way::Password, Some(_)) => (&project, "no effect beside \"trustid\": the trust is for a project"),
        (Way::Password | Way::Token, None) => return Ok(()),
        (Way::ApplicationCredential, None) => {
            (&project, "no effect: an application credential is for the project in which it was made")
        }
        (Way::ApplicationCredential | Way::Token, Some(trust)) => {
            return Err(trust.unsupported("a trust needs \"username\" and \"password\""));
        }
    };
    warnings.extend(names.iter().filter_map(|name| Some(section.given(name)?.warning(reason))));
    Ok(())
}

fn credentials(section: &mut Section, way: Way) -> Result<SwiftCredentials, ConfigError> {
    const CREDENTIAL_SECRET: &str = "the secret of the application credential";

    let password = secret(section, "password", "passwordfile")?;
    let id = section.text("applicationcredentialid")?;
    let name = section.text("applicationcredentialname")?;
    let credential = secret(section, "applicationcredentialsecret", "applicationcredentialsecretfile")?;
    let token = secret(section, "tokenid", "tokenfile")?;
    let user = user(section)?;
    let required_user = |section: &Section| section.required("username", "the name of a user", user.clone());
    match way {
        Way::Password => Ok(SwiftCredentials::Password {
            user: required_user(section)?,
            password: section.required("password", "the user's password", password)?,
        }),
        Way::ApplicationCredential => {
            let secret = section.required("applicationcredentialsecret", CREDENTIAL_SECRET, credential)?;
            if let Some(id) = id {
                return Ok(SwiftCredentials::ApplicationCredential { id, secret });
            }
            let expected = "the id of the application credential, or applicationcredentialname";
            let name = section.required("applicationcredentialid", expected, name)?;
            Ok(SwiftCredentials::NamedApplicationCredential { name, user: required_user(section)?, secret })
        }
        Way::Token => Ok(SwiftCredentials::Token(section.required("tokenid", "a token", token)?)),
    }
}

/// The user, by the identifier where both are given.
fn user(section: &mut Section) -> Result<Option<SwiftUser>, ConfigError> {
    let name = section.text("username")?.map(SwiftUser::Name);
    Ok(section.text("userid")?.map(SwiftUser::Id).or(name))
}

/// A secret that is in the file itself, or in one of its own.
fn secret(
    section: &mut Section,
    name: &'static str,
    file_name: &'static str,
) -> Result<Option<SwiftSecret>, ConfigError> {
    let both = section.given(name).and(section.given(file_name));
    if let Some(key) = both {
        return Err(key.unsupported(&format!("given beside {name:?}; remove one of them")));
    }
    let text = section.secret(name)?.map(SwiftSecret::Text);
    let file = section.text(file_name)?.map(|path| SwiftSecret::File(PathBuf::from(path)));
    Ok(text.or(file))
}
