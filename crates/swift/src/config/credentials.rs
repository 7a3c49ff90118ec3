//! As whom to sign in. What no identity service knows cannot be written down here: an application credential has no
//! project of its own choosing, and a trust comes with a password.

use super::{AuthVersion, Secret};

/// As whom to sign in, and what proves it: a [`Password`], an [`ApplicationCredential`] or a [`Token`].
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A user with a password. Versions 1, 2 and 3.
    Password(Password),
    /// A credential that a user has made for one program. Version 3.
    ApplicationCredential(ApplicationCredential),
    /// A token that somebody else has got. Version 3.
    Token(Token),
}

/// A user with a password, for a project or by a trust.
///
/// Version 1, of TempAuth or Ceph RGW; the name is often `account:user`:
///
/// ```
/// use apus_swift::{Password, SwiftConfig};
///
/// let user = Password::new("account:user", "key");
/// let config = SwiftConfig::new("http://swift.example:8080/auth/v1.0", user, "photos");
/// # config.validate().unwrap();
/// ```
///
/// Version 2, of an old Keystone. The tenant may also be in the name, `tenant:user`:
///
/// ```
/// use apus_swift::{Password, SwiftConfig};
///
/// let user = Password::new("user", "password").for_project("tenant");
/// let config = SwiftConfig::new("https://keystone.example:5000/v2.0", user, "photos");
/// # config.validate().unwrap();
/// ```
///
/// Version 3, with the domains of user and project by name or by identifier:
///
/// ```
/// use apus_swift::{Domain, Entity, Password, SwiftConfig};
///
/// let user = Entity::named("user").in_domain(Domain::Name("people".to_owned()));
/// let project = Entity::Id("3f54a3d0c8e24f6e".to_owned());
/// let user = Password::new(user, "password").for_project(project);
/// let config = SwiftConfig::new("https://keystone.example:5000/v3", user, "photos");
/// # config.validate().unwrap();
/// ```
///
/// By a trust, as a user whom the trust names, for the project that it names:
///
/// ```
/// use apus_swift::{Domain, Entity, Password, Secret, SwiftConfig};
///
/// let trustee = Entity::named("trustee").in_domain(Domain::Id("7f2c".to_owned()));
/// let user = Password::new(trustee, Secret::file("/run/secrets/trustee")).by_trust("9c1d5f0a");
/// let config = SwiftConfig::new("https://keystone.example:5000/v3", user, "photos");
/// # config.validate().unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct Password {
    /// Who. Version 1 knows users by name only, and no domain; nor does version 2 know any.
    pub user: Entity,
    /// The password, or the key of version 1.
    pub password: Secret,
    /// For what. Version 1 knows no such thing, and pays no heed to it.
    pub scope: Scope,
}

impl Password {
    /// This user, without a project; a text is the user's name.
    pub fn new(user: impl Into<Entity>, password: impl Into<Secret>) -> Self {
        Self { user: user.into(), password: password.into(), scope: Scope::Unsaid }
    }

    /// For the containers of this project; a text is the project's name.
    #[must_use]
    pub fn for_project(self, project: impl Into<Entity>) -> Self {
        Self { scope: Scope::Project(project.into()), ..self }
    }

    /// By the trust with this identifier.
    #[must_use]
    pub fn by_trust(self, trust: impl Into<String>) -> Self {
        Self { scope: Scope::Trust(trust.into()), ..self }
    }
}

/// For what a user signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Not said. Version 3 takes the user's default project; when there is none, signing in fails, since nobody has
    /// containers outside of a project.
    Unsaid,
    /// A project, which version 2 calls a tenant.
    Project(Entity),
    /// A trust (Identity API 3, extension OS-TRUST), by its identifier. Version 3.
    Trust(String),
}

/// An application credential (Identity API 3, "Application credentials"). It is for the project in which it was made.
///
/// ```
/// use apus_swift::{ApplicationCredential, Entity, SwiftConfig};
///
/// let credential = ApplicationCredential::new("21dced0fd20347869b93710d2b98aae0", "secret");
/// let config = SwiftConfig::new("https://keystone.example:5000/v3", credential, "photos");
/// # config.validate().unwrap();
///
/// let user = Entity::Id("8bfcff3d".to_owned());
/// let credential = ApplicationCredential::named("monitoring", user, "secret");
/// let config = SwiftConfig::new("https://keystone.example:5000/v3", credential, "photos");
/// # config.validate().unwrap();
/// ```
#[derive(Debug, Clone)]
pub enum ApplicationCredential {
    /// By its identifier.
    Id {
        /// Its identifier.
        id: String,
        /// Its secret.
        secret: Secret,
    },
    /// By its name, which only its user knows.
    Name {
        /// Its name.
        name: String,
        /// Whose it is.
        user: Entity,
        /// Its secret.
        secret: Secret,
    },
}

impl ApplicationCredential {
    /// The one with this identifier.
    pub fn new(id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        Self::Id { id: id.into(), secret: secret.into() }
    }

    /// The one that this user calls so; a text is the user's name.
    pub fn named(name: impl Into<String>, user: impl Into<Entity>, secret: impl Into<Secret>) -> Self {
        Self::Name { name: name.into(), user: user.into(), secret: secret.into() }
    }
}

/// A token that somebody else has got. It ends when it ends: only a [file](Secret::File) can bring the next one.
///
/// ```
/// use apus_swift::{Secret, SwiftConfig, Token};
///
/// // For a project already, and used as it is.
/// let config = SwiftConfig::new("https://keystone.example:5000/v3", Token::new("gAAAAABo"), "photos");
/// # config.validate().unwrap();
///
/// // For no project or another one: a new token is made of it, which ends when the old one does.
/// let token = Token::new(Secret::file("/run/secrets/token")).for_project("project");
/// let config = SwiftConfig::new("https://keystone.example:5000/v3", token, "photos");
/// # config.validate().unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct Token {
    /// The token.
    pub token: Secret,
    /// The project that it is to be made good for; `None` takes it as it is.
    pub project: Option<Entity>,
}

impl Token {
    /// This token, as it is.
    pub fn new(token: impl Into<Secret>) -> Self {
        Self { token: token.into(), project: None }
    }

    /// Made good for this project; a text is the project's name.
    #[must_use]
    pub fn for_project(self, project: impl Into<Entity>) -> Self {
        Self { project: Some(project.into()), ..self }
    }
}

/// A user or a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entity {
    /// By its identifier, which is unique in all domains.
    Id(String),
    /// By its name.
    Name {
        /// Its name.
        name: String,
        /// Where that name is unique. `None` is the domain `Default` for a user, and the user's domain for a project.
        domain: Option<Domain>,
    },
}

impl Entity {
    /// By this name, with no domain said.
    pub fn named(name: impl Into<String>) -> Self {
        Self::Name { name: name.into(), domain: None }
    }

    /// In this domain. One that is known by its identifier needs none, and stays as it is.
    #[must_use]
    pub fn in_domain(self, domain: impl Into<Option<Domain>>) -> Self {
        match self {
            Self::Name { name, .. } => Self::Name { name, domain: domain.into() },
            by_id @ Self::Id(_) => by_id,
        }
    }

    /// Its name or its identifier, for a reader.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Id(text) | Self::Name { name: text, .. } => text,
        }
    }

    /// Its domain, where one was said.
    pub(crate) fn domain(&self) -> Option<&Domain> {
        match self {
            Self::Id(_) => None,
            Self::Name { domain, .. } => domain.as_ref(),
        }
    }
}

impl From<&str> for Entity {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

impl From<String> for Entity {
    fn from(name: String) -> Self {
        Self::named(name)
    }
}

/// A domain of Keystone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domain {
    /// By its identifier.
    Id(String),
    /// By its name.
    Name(String),
}

impl Credentials {
    /// Why this version of the sign-in cannot take them.
    pub(crate) fn check_version(&self, version: AuthVersion) -> Result<(), &'static str> {
        let version_3_only = |what| if version == AuthVersion::V3 { Ok(()) } else { Err(what) };
        match self {
            Self::Password(Password { user: Entity::Id(_), .. }) if version == AuthVersion::V1 => {
                Err("version 1 knows users by their names only")
            }
            Self::Password(Password { scope: Scope::Trust(_), .. }) => {
                version_3_only("a trust needs version 3")
            }
            Self::Password(_) => Ok(()),
            Self::ApplicationCredential(_) => version_3_only("an application credential needs version 3"),
            Self::Token(_) => version_3_only("a token in place of a password needs version 3"),
        }
    }

    /// Whose they are, for a reader.
    pub(crate) fn who(&self) -> String {
        match self {
            Self::Password(Password { user, scope: Scope::Trust(trust), .. }) => {
                format!("user {:?} by trust {trust:?}", user.text())
            }
            Self::Password(Password { user, .. }) => format!("user {:?}", user.text()),
            Self::ApplicationCredential(ApplicationCredential::Id { id, .. }) => {
                format!("application credential {id:?}")
            }
            Self::ApplicationCredential(ApplicationCredential::Name { name, user, .. }) => {
                format!("application credential {name:?} of user {:?}", user.text())
            }
            Self::Token(_) => "the token".to_owned(),
        }
    }

    /// The user, where one is said.
    pub(crate) fn user(&self) -> Option<&Entity> {
        match self {
            Self::Password(Password { user, .. })
            | Self::ApplicationCredential(ApplicationCredential::Name { user, .. }) => Some(user),
            Self::ApplicationCredential(ApplicationCredential::Id { .. }) | Self::Token(_) => None,
        }
    }

    /// The project, where one is said.
    pub(crate) fn project(&self) -> Option<&Entity> {
        match self {
            Self::Password(Password { scope: Scope::Project(project), .. }) => Some(project),
            Self::Token(Token { project, .. }) => project.as_ref(),
            Self::Password(_) | Self::ApplicationCredential(_) => None,
        }
    }

    /// What proves it.
    pub(crate) fn secret(&self) -> &Secret {
        match self {
            Self::Password(Password { password: secret, .. })
            | Self::ApplicationCredential(
                ApplicationCredential::Id { secret, .. } | ApplicationCredential::Name { secret, .. },
            )
            | Self::Token(Token { token: secret, .. }) => secret,
        }
    }
}

impl From<Password> for Credentials {
    fn from(password: Password) -> Self {
        Self::Password(password)
    }
}

impl From<ApplicationCredential> for Credentials {
    fn from(credential: ApplicationCredential) -> Self {
        Self::ApplicationCredential(credential)
    }
}

impl From<Token> for Credentials {
    fn from(token: Token) -> Self {
        Self::Token(token)
    }
}
