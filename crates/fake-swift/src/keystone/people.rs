//! Who is known to Keystone: a user with a project and an application credential, and a trustee who may act for that
//! user by a trust. All are in the domain `Default`, whose id is `default`.

use serde_json::Value;

use super::Failure;
use crate::options::Options;

/// Someone with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// The user, a member of the project.
    User,
    /// A member of nothing.
    Trustee,
}

impl Who {
    const ALL: [Self; 2] = [Self::User, Self::Trustee];

    pub(super) fn id(self, options: &Options) -> String {
        match self {
            Self::User => options.user_id(),
            Self::Trustee => options.trustee_id(),
        }
    }

    pub(super) fn name(self, options: &Options) -> &str {
        match self {
            Self::User => &options.user,
            Self::Trustee => &options.trustee,
        }
    }

    /// Who has this id.
    pub(super) fn with_id(options: &Options, id: &Value) -> Option<Self> {
        Self::ALL.into_iter().find(|who| *id == who.id(options))
    }

    /// Who has this name.
    pub(super) fn with_name(options: &Options, name: &Value) -> Option<Self> {
        Self::ALL.into_iter().find(|who| name == who.name(options))
    }

    /// Whether this is the password.
    pub(super) fn check(self, options: &Options, password: Option<&Value>) -> Result<Self, Failure> {
        let own = match self {
            Self::User => &options.password,
            Self::Trustee => &options.trustee_password,
        };
        password.filter(|password| *password == own).map(|_| self).ok_or_else(Failure::unauthorized)
    }

    /// Who is meant by a `user` of version 3: by id, or by name and domain.
    pub(super) fn meant(options: &Options, user: &Value) -> Result<Self, Failure> {
        let found = match (user.get("id"), user.get("name")) {
            (Some(id), _) => Self::with_id(options, id),
            (None, Some(name)) => {
                let domain = in_default_domain(user, "user")?;
                Self::with_name(options, name).filter(|_| domain)
            }
            (None, None) => return Err(must_be_named("identity/password/user")),
        };
        found.ok_or_else(Failure::unauthorized)
    }
}

/// Whether the project is meant by a `project` of version 3: by id, or by name and domain.
pub(super) fn is_project(options: &Options, project: &Value) -> Result<bool, Failure> {
    match (project.get("id"), project.get("name")) {
        (Some(id), _) => Ok(*id == options.project_id()),
        (None, Some(name)) => Ok(in_default_domain(project, "project")? && *name == options.project),
        (None, None) => Err(must_be_named("scope/project")),
    }
}

/// Whether the domain of `entry` is the one that there is.
fn in_default_domain(entry: &Value, what: &str) -> Result<bool, Failure> {
    let missing = || Failure::expecting(&format!("domain in {what}"));
    let domain = entry.get("domain").ok_or_else(missing)?;
    match (domain.get("id"), domain.get("name")) {
        (Some(id), _) => Ok(id == "default"),
        (None, Some(name)) => Ok(name == "Default"),
        (None, None) => Err(missing()),
    }
}

fn must_be_named(field: &str) -> Failure {
    let message = format!("Invalid input for field {field}: id or name must be present.");
    Failure::new(http::StatusCode::BAD_REQUEST, message)
}
