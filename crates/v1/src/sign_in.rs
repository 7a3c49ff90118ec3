//! Who may do what. Three ways: nobody asks (`standalone`, `disable_token_auth`); an index says, to which the client's token is shown;
//! or today's sign-in has said, and tokens of our own carry it from the routes of repositories to those of images, which name none.
//! Beside them the privileged key.

use apus_legacy::{ImageId, Repository};
use apus_storage::BoxError;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};

use crate::call::Head;
use crate::replies::{Failure, no_key};
use crate::route::{Route, Target};
use crate::token::{Token, TokenKeys};
use crate::{Index, V1, V1Options};

/// How it is decided who may do what.
#[derive(Debug)]
pub enum SignIn {
    /// Everyone may do everything.
    Open,
    /// An index decides on the token that a client shows.
    Index(Box<Index>),
    /// Today's sign-in has decided before a request comes here, by what [`V1::needs`] says. Tokens are signed with a key from here.
    Today(Box<dyn TokenKeys>),
}

/// What a request needs of today's sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: whoever asks may have the answer, or has a token of ours, or it is decided here.
    Nothing,
    /// That the client has signed in, as anybody.
    SignedIn,
    /// A right to a repository, by the name that clients of today give it.
    Repository(String, Right),
    /// A right to whichever repository: images are named without one.
    AnyRepository(Right),
    /// The right to see which repositories there are.
    Catalog,
}

/// A right to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// To read it.
    Read,
    /// To write to it.
    Write,
    /// To take something away.
    Delete,
}

impl Right {
    pub(crate) fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD | Method::OPTIONS => Self::Read,
            Method::DELETE => Self::Delete,
            _ => Self::Write,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
}

pub(crate) async fn needs(
    options: &V1Options,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Result<Needs, BoxError> {
    let (SignIn::Today(keys), Some(route)) = (&options.sign_in, Route::parse(path)) else {
        return Ok(Needs::Nothing);
    };
    if let Some(token) = own_token(headers, &**keys).await?
        && token.lets(method)
    {
        let is_for_it = match &route {
            Route::Image(..) => true,
            route => route.repository().is_some_and(|repository| token.names(repository)),
        };
        if is_for_it {
            return Ok(Needs::Nothing);
        }
    }
    Ok(match &route {
        Route::Root | Route::Ping => Needs::Nothing,
        Route::Users | Route::User => Needs::SignedIn,
        Route::Search => Needs::Catalog,
        Route::Image(..) => Needs::AnyRepository(Right::of(method)),
        route => match route.repository() {
            Some(repository) => Needs::Repository(repository.familiar(), Right::of(method)),
            None => Needs::SignedIn,
        },
    })
}

async fn own_token(headers: &HeaderMap, keys: &dyn TokenKeys) -> Result<Option<Token>, BoxError> {
    let shown = headers.get(AUTHORIZATION).and_then(|header| Token::parse(header.to_str().ok()?));
    let Some(token) = shown else { return Ok(None) };
    let key = keys.key().await?;
    Ok(key.proves(&token).then_some(token))
}

/// As whom a request is answered.
#[derive(Debug)]
pub(crate) enum Standing {
    /// Nothing is known of it, and nothing needs to be.
    Anyone,
    /// An index has said yes to this token.
    Index {
        token: Token,
        /// The images that the index knows in the token's repository.
        images: Vec<ImageId>,
    },
    /// The owner of the privileged key.
    Privileged,
}

impl V1 {
    /// Whether a request may be answered, and as whose.
    pub(crate) async fn sign_in(&self, target: &Target, head: &Head) -> Result<Standing, Failure> {
        let asks_nobody = matches!(
            target,
            Target::Search | Target::GetUser | Target::PostUser | Target::PutUser | Target::PutAuth
        );
        let index = match &self.options().sign_in {
            SignIn::Open => return Ok(Standing::Anyone),
            SignIn::Today(_) => {
                self.keep_private(target, head).await?;
                return Ok(Standing::Anyone);
            }
            SignIn::Index(_) if asks_nobody => return Ok(Standing::Anyone),
            SignIn::Index(index) => index,
        };
        if let Some(key) = &self.options().privileged_key
            && key.has_signed(&head.method, &head.path, &head.headers)
        {
            return Ok(Standing::Privileged);
        }
        let authorization = head.text(AUTHORIZATION).ok_or_else(Failure::unauthorized)?;
        let token = Token::parse(authorization).ok_or_else(Failure::unauthorized)?;
        let named = Route::parse(&head.path).and_then(|route| route.repository().cloned());
        if !token.is_for(&head.method) || named.is_some_and(|repository| !token.names(&repository)) {
            return Err(Failure::unauthorized());
        }
        let images = index.images(token.repository(), authorization).await?;
        let images = images.ok_or_else(Failure::unauthorized)?;
        if Right::of(&head.method) == Right::Write {
            self.registry().keep_images_list(token.repository(), &images).await?;
        }
        Ok(Standing::Index { token, images })
    }

    /// A private repository is not there for somebody who has not signed in, whatever a policy lets everyone read.
    async fn keep_private(&self, target: &Target, head: &Head) -> Result<(), Failure> {
        let (Target::GetTags(repository)
        | Target::GetTag(repository, _)
        | Target::GetClient(repository, _)
        | Target::GetImages(repository)
        | Target::GetProperties(repository)) = target
        else {
            return Ok(());
        };
        let SignIn::Today(keys) = &self.options().sign_in else { return Ok(()) };
        let is_known = head.signed_in || own_token(&head.headers, &**keys).await.map_err(no_key)?.is_some();
        if !is_known && self.registry().is_private(repository).await? {
            return Err(Failure::not_found("Repository not found"));
        }
        Ok(())
    }

    /// That whoever asks may read an image: where the token's repository is private, the index knows.
    pub(crate) async fn may_read(
        &self,
        id: &ImageId,
        head: &Head,
        standing: &Standing,
    ) -> Result<(), Failure> {
        let Standing::Index { token, .. } = standing else { return Ok(()) };
        if self.registry().is_private(token.repository()).await?
            && !self.index_allows(token.repository(), id, head).await?
        {
            return Err(Failure::not_found("Image not found"));
        }
        Ok(())
    }

    /// Whether the index lets the owner of a token use an image of another one as a parent.
    pub(crate) async fn may_build_on(
        &self,
        parent: &ImageId,
        head: &Head,
        standing: &Standing,
    ) -> Result<(), Failure> {
        match standing {
            Standing::Index { token, .. } if !self.index_allows(token.repository(), parent, head).await? => {
                Err(Failure::bad("Image depends on an unauthorized parent"))
            }
            _ => Ok(()),
        }
    }

    async fn index_allows(
        &self,
        repository: &Repository,
        id: &ImageId,
        head: &Head,
    ) -> Result<bool, Failure> {
        let SignIn::Index(index) = &self.options().sign_in else { return Ok(true) };
        index.may_access(repository, id, head.text(AUTHORIZATION).unwrap_or_default()).await
    }

    /// Whether anyone may keep what this registry answers.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.options().sign_in, SignIn::Open)
    }
}
