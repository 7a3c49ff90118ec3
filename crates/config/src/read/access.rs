//! `access`, Apus's own: groups, rules and protected tags. A slip of the pen here must not open anything, so what is not
//! understood is an error, and keys that nobody knows are too.

use super::common::sections;
use super::word;
use crate::section::{Field, Section};
use crate::{
    AccessConfig, AccessPermission, AccessRule, AccessSubject, AuthConfig, ConfigError, ProtectedTags,
};

const WHO: &str = "anonymous, signedin, everyone, user:NAME, or group:NAME for one of access.groups";
const WHO_LIST: &str = "a list of anonymous, signedin, everyone, user:NAME, group:NAME";
const MAY: &str = "pull, push, overwrite, delete or catalog";
const MAY_LIST: &str = "a list of pull, push, overwrite, delete or catalog";
const REPOSITORIES: &str = "a list of patterns of names, such as [\"team/**\"]";
const TAGS: &str = "a list of patterns of tags, such as [\"v*\"]";

/// `auth` is how clients sign in: only a token names groups that are not in this section.
pub(super) fn read(
    access: Option<Field>,
    auth: Option<&AuthConfig>,
) -> Result<Option<AccessConfig>, ConfigError> {
    let Some(access) = access else { return Ok(None) };
    let mut section = access.section()?;
    if section.is_empty() {
        return Ok(None);
    }
    let groups = groups(section.section("groups")?)?;
    let by_token = matches!(auth, Some(AuthConfig::Token(_)));
    let is_group = |name: &str| by_token || groups.iter().any(|(known, _)| known == name);
    let rules = match section.take("rules") {
        None => None,
        // A list of which nothing is left is not the same as none: it allows nothing.
        Some(rules) => {
            let missing = rules.invalid("a list of rules; [] to allow nothing");
            let items = rules.items("a list of rules")?.ok_or(missing)?;
            Some(
                items
                    .into_iter()
                    .map(|item| rule(item.section()?, is_group))
                    .collect::<Result<Vec<_>, _>>()?,
            )
        }
    };
    let protected_tags = sections(&mut section, "protectedtags", "a list of protected tags", protected)?;
    section.finish_strictly()?;
    Ok(Some(AccessConfig { groups, rules, protected_tags }))
}

fn groups(mut section: Section) -> Result<Vec<(String, Vec<String>)>, ConfigError> {
    let group = |field: Field| Ok((field.key.name.clone(), field.texts()?));
    section.take_rest().into_iter().map(group).collect()
}

fn rule(mut section: Section, is_group: impl Fn(&str) -> bool) -> Result<AccessRule, ConfigError> {
    let who = section.list("who", WHO, |text| subject(text, &is_group))?.filter(|who| !who.is_empty());
    let who = section.required("who", WHO_LIST, who)?;
    let may = section.list("may", MAY, permission)?.filter(|may| !may.is_empty());
    let may = section.required("may", MAY_LIST, may)?;
    let about_repositories = may.iter().any(|permission| *permission != AccessPermission::Catalog);
    let repositories = section.texts("repositories")?;
    if about_repositories && repositories.is_empty() {
        section.required("repositories", REPOSITORIES, None::<()>)?;
    }
    section.finish_strictly()?;
    Ok(AccessRule { who, may, repositories })
}

fn protected(mut section: Section) -> Result<ProtectedTags, ConfigError> {
    let mut patterns = |name, expected| {
        let patterns = Some(section.texts(name)?).filter(|patterns| !patterns.is_empty());
        section.required(name, expected, patterns)
    };
    let (repositories, tags) = (patterns("repositories", REPOSITORIES)?, patterns("tags", TAGS)?);
    section.finish_strictly()?;
    Ok(ProtectedTags { repositories, tags })
}

fn subject(text: &str, is_group: impl Fn(&str) -> bool) -> Option<AccessSubject> {
    match text.split_once(':') {
        Some(("user", name)) if !name.is_empty() => Some(AccessSubject::User(name.to_owned())),
        Some(("group", name)) if is_group(name) => Some(AccessSubject::Group(name.to_owned())),
        Some(_) => None,
        None => match text.to_ascii_lowercase().as_str() {
            "anonymous" => Some(AccessSubject::Anonymous),
            "signedin" => Some(AccessSubject::SignedIn),
            "everyone" => Some(AccessSubject::Everyone),
            _ => None,
        },
    }
}

fn permission(text: &str) -> Option<AccessPermission> {
    use AccessPermission::{Catalog, Delete, Overwrite, Pull, Push};
    let words =
        [("pull", Pull), ("push", Push), ("overwrite", Overwrite), ("delete", Delete), ("catalog", Catalog)];
    word(text, &words)
}
