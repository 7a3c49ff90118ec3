//! Paths: read from their end, for names of repositories hold slashes; and what a path and a method come to.

use apus_legacy::{ImageId, Repository};
use http::Method;
use percent_encoding::percent_decode_str;

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/`
    Root,
    /// `/_ping`, `/v1/_ping`
    Ping,
    /// `/v1/users/`
    Users,
    /// `/v1/users/<name>/`
    User,
    /// `/v1/search`
    Search,
    /// `/v1/images/<id>/<part>`; the identifier may be none.
    Image(Option<ImageId>, Part),
    /// `/v1/repositories/<name>/`
    Repository(Repository),
    /// `/v1/repositories/<name>/tags`
    Tags(Repository),
    /// `/v1/repositories/<name>/tags/<tag>`
    Tag(Repository, String),
    /// `/v1/repositories/<name>/json`, `/v1/repositories/<name>/tags/<tag>/json`
    Client(Repository, Option<String>),
    /// `/v1/repositories/<name>/images`
    Images(Repository),
    /// `/v1/repositories/<name>/auth`
    Auth(Repository),
    /// `/v1/repositories/<name>/properties`
    Properties(Repository),
}

/// A part of an image, as its path names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Json,
    Layer,
    Checksum,
    Ancestry,
    Files,
    Diff,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Root,
    Ping,
    GetUser,
    PostUser,
    PutUser,
    Search,
    GetImage(Option<ImageId>, Part),
    PutJson(Option<ImageId>),
    PutLayer(Option<ImageId>),
    PutChecksum(Option<ImageId>),
    GetTags(Repository),
    DeleteRepository(Repository),
    GetTag(Repository, String),
    PutTag(Repository, String),
    DeleteTag(Repository, String),
    GetClient(Repository, Option<String>),
    GetProperties(Repository),
    PutProperties(Repository),
    GetImages(Repository),
    /// With whether it is the one that ends a push.
    PutImages(Repository, bool),
    DeleteImages(Repository),
    PutAuth,
}

impl Route {
    /// Reads a path as it stands in the request line. Percent-encoding is taken off first, once.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let path = percent_decode_str(path).decode_utf8().ok()?;
        match path.as_ref() {
            "/" => return Some(Self::Root),
            "/_ping" | "/v1/_ping" => return Some(Self::Ping),
            _ => {}
        }
        let rest = path.strip_prefix("/v1/")?.trim_end_matches('/');
        let words: Vec<&str> = rest.split('/').collect();
        match words.as_slice() {
            ["users"] => Some(Self::Users),
            ["users", _] => Some(Self::User),
            ["search"] => Some(Self::Search),
            ["images", id, part] => {
                let part = match *part {
                    "json" => Part::Json,
                    "layer" => Part::Layer,
                    "checksum" => Part::Checksum,
                    "ancestry" => Part::Ancestry,
                    "files" => Part::Files,
                    "diff" => Part::Diff,
                    _ => return None,
                };
                Some(Self::Image(ImageId::parse(id), part))
            }
            ["repositories", name @ ..] => repository(name),
            _ => None,
        }
    }

    pub(crate) fn repository(&self) -> Option<&Repository> {
        match self {
            Self::Root | Self::Ping | Self::Users | Self::User | Self::Search | Self::Image(..) => None,
            Self::Repository(repository)
            | Self::Tags(repository)
            | Self::Tag(repository, _)
            | Self::Client(repository, _)
            | Self::Images(repository)
            | Self::Auth(repository)
            | Self::Properties(repository) => Some(repository),
        }
    }

    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Ping => "v1_ping",
            Self::Users | Self::User => "v1_users",
            Self::Search => "v1_search",
            Self::Image(_, Part::Layer) => "v1_layer",
            Self::Image(..) => "v1_image",
            Self::Tags(_) | Self::Tag(..) => "v1_tags",
            _ => "v1_repository",
        }
    }
}

fn repository(words: &[&str]) -> Option<Route> {
    let named = |words: &[&str]| Repository::parse(&words.join("/"));
    match words {
        [name @ .., "tags", tag, "json"] if !name.is_empty() => {
            Some(Route::Client(named(name)?, Some((*tag).to_owned())))
        }
        [name @ .., "tags", tag] if !name.is_empty() => Some(Route::Tag(named(name)?, (*tag).to_owned())),
        [name @ .., "tags"] if !name.is_empty() => Some(Route::Tags(named(name)?)),
        [name @ .., "images"] if !name.is_empty() => Some(Route::Images(named(name)?)),
        [name @ .., "auth"] if !name.is_empty() => Some(Route::Auth(named(name)?)),
        [name @ .., "json"] if !name.is_empty() => Some(Route::Client(named(name)?, None)),
        [name @ .., "properties"] if !name.is_empty() => Some(Route::Properties(named(name)?)),
        name => Some(Route::Repository(named(name)?)),
    }
}

impl Target {
    /// Puts a method and a route together; `None` where the route does not know the method.
    pub(crate) fn new(method: &Method, route: Route) -> Option<Self> {
        let read = method == Method::GET || method == Method::HEAD;
        let (put, delete) = (method == Method::PUT, method == Method::DELETE);
        match route {
            Route::Root if read => Some(Self::Root),
            Route::Ping if read => Some(Self::Ping),
            Route::Users if read => Some(Self::GetUser),
            Route::Users if method == Method::POST => Some(Self::PostUser),
            Route::User if put => Some(Self::PutUser),
            Route::Search if read => Some(Self::Search),
            Route::Image(id, Part::Json) if put => Some(Self::PutJson(id)),
            Route::Image(id, Part::Layer) if put => Some(Self::PutLayer(id)),
            Route::Image(id, Part::Checksum) if put => Some(Self::PutChecksum(id)),
            Route::Image(_, Part::Checksum) => None,
            Route::Image(id, part) if read => Some(Self::GetImage(id, part)),
            Route::Repository(repository) if put => Some(Self::PutImages(repository, false)),
            Route::Repository(repository) | Route::Tags(repository) if delete => {
                Some(Self::DeleteRepository(repository))
            }
            Route::Tags(repository) if read => Some(Self::GetTags(repository)),
            Route::Tag(repository, tag) if read => Some(Self::GetTag(repository, tag)),
            Route::Tag(repository, tag) if put => Some(Self::PutTag(repository, tag)),
            Route::Tag(repository, tag) if delete => Some(Self::DeleteTag(repository, tag)),
            Route::Client(repository, tag) if read => Some(Self::GetClient(repository, tag)),
            Route::Images(repository) if read => Some(Self::GetImages(repository)),
            Route::Images(repository) if put => Some(Self::PutImages(repository, true)),
            Route::Images(repository) if delete => Some(Self::DeleteImages(repository)),
            Route::Auth(_) if put => Some(Self::PutAuth),
            Route::Properties(repository) if read => Some(Self::GetProperties(repository)),
            Route::Properties(repository) if put => Some(Self::PutProperties(repository)),
            _ => None,
        }
    }
}

/// The methods that a path knows, for the `Allow` header.
pub(crate) fn allowed(path: &str) -> &'static str {
    match Route::parse(path) {
        Some(Route::Users) => "GET, HEAD, POST, OPTIONS",
        Some(Route::User | Route::Auth(_) | Route::Image(_, Part::Checksum)) => "PUT, OPTIONS",
        Some(Route::Image(_, Part::Json | Part::Layer) | Route::Properties(_)) => "GET, HEAD, PUT, OPTIONS",
        Some(Route::Repository(_)) => "PUT, DELETE, OPTIONS",
        Some(Route::Tags(_)) => "GET, HEAD, DELETE, OPTIONS",
        Some(Route::Tag(..) | Route::Images(_)) => "GET, HEAD, PUT, DELETE, OPTIONS",
        _ => "GET, HEAD, OPTIONS",
    }
}

#[cfg(test)]
mod tests;
