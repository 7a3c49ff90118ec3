//! `v1`: the API of docker-registry 0.x, version 1, beside that of today.

use std::path::PathBuf;
use std::time::Duration;

/// How version 1 is spoken, and its images shown. A file of docker-registry 0.x always has it spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct V1Config {
    /// `enabled`: whether version 1 is spoken. Default false; true in a file of docker-registry 0.x.
    pub spoken: bool,
    /// `version2`: whether version 2 shows the images of version 1, and those alone. Default false.
    pub shown: bool,
    /// `standalone`, `disabletokenauth`, `indexendpoint`: who is let in.
    pub access: V1Access,
    /// `exclusive`: whether nothing but version 1 is spoken, so that clients that know both find it. Default false; true in a file
    /// of docker-registry 0.x. False where version 2 shows its images.
    pub exclusive: bool,
    /// `flavour` of the old file; `None` where there is none.
    pub flavour: Option<String>,
    /// `issue`: what `GET /` says. Default `"docker-registry server"`, in quotes.
    pub issue: String,
    /// `debug`: whether `_ping` tells about the host. Default false.
    pub debug: bool,
    /// `privilegedkey`: a PEM file with an RSA key of 2048 bits; whoever signs a request with it is let in.
    pub privileged_key: Option<PathBuf>,
    /// `registryendpoints`: what clients are told of where the registry is. `None` for the host that they asked for.
    pub registry_endpoints: Option<String>,
    /// `search.enabled`: whether there is `/v1/search`. Default false.
    pub search: bool,
    /// `mirroring`; `None` for a registry of its own.
    pub mirroring: Option<V1Mirroring>,
    /// `cors`; `None` for no such headers.
    pub cors: Option<V1Cors>,
}

/// Who is let in by version 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum V1Access {
    /// None of them: whom `auth` and `access` let in; and the registry is its own index of repositories.
    Today,
    /// `standalone`: everyone; and the registry is its own index of repositories.
    Standalone,
    /// `disabletokenauth` without `standalone`: everyone; of the index there is nothing.
    Open,
    /// Neither, as they say: who shows a token that an index knows.
    Token {
        /// `indexendpoint`: the URL of the index, without a slash at its end. Default `https://index.docker.io`.
        index_endpoint: String,
    },
}

/// `v1.mirroring`: what is not here is fetched from another registry of version 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct V1Mirroring {
    /// `source`: an http or https URL, without a slash at its end.
    pub source: String,
    /// `sourceindex`: the same, for the routes of an index. `None` for the source.
    pub source_index: Option<String>,
    /// `tagscachettl`: how long a tag that was fetched is believed. Default 48 h.
    pub tags_cache_ttl: Duration,
}

/// `v1.cors`: what browsers let pages of other origins do, by the names of flask-cors.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct V1Cors {
    /// `origins`, at least one; `*` for all.
    pub origins: Vec<String>,
    /// `methods`; empty for those that the original had.
    pub methods: Vec<String>,
    /// `headers` that a page may send. Default `Content-Type`.
    pub headers: Vec<String>,
    /// `exposeheaders` that a page may read.
    pub expose_headers: Vec<String>,
    /// `supportscredentials`. Default false.
    pub supports_credentials: bool,
    /// `maxage`: how long a browser remembers; `None` for unsaid.
    pub max_age: Option<Duration>,
    /// `sendwildcard`: say `*` where all origins may, in place of the one that asks. Default true, as in the original.
    pub send_wildcard: bool,
    /// `alwayssend`: also to requests that name no origin. Default true, as in the original.
    pub always_send: bool,
    /// `varyheader`: say that the answer depends on the origin. Default true.
    pub vary_header: bool,
}
