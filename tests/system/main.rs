//! Apus as its users meet it: the real binary, real clients, a real Swift.
//!
//! | file | what it shows |
//! |---|---|
//! | `clients` | skopeo, podman, buildah, docker, ctr, oras and umoci do what their users do, over every backend |
//! | `conformance` | what the official conformance runner of the OCI asks, over every backend |
//! | `protocol` | the steps of the protocol, and bad input, as raw requests |
//! | `proxy` | a cache of other registries: crowds, broken and malicious upstreams, real clients |
//! | `replicas` | two processes over one Swift, behind a proxy that sends each request to the other one |
//! | `redirects` | clients that are sent to Swift itself for blobs, and what becomes of it where that does not work |
//! | `v1` | version 1 of the protocol: docker 1.3 and docker-registry-client, over docker-registry 0.x's data and configuration |
//! | `upgrade` | the commit before this one and this one over one store |
//! | `http` | HTTP/2, URLs behind a proxy, limits, as the configuration says |
//! | `acme` | a certificate from an authority that speaks ACME |
//! | `tls` | HTTPS and unix sockets |
//! | `auth` | users, tokens, the policy: who may do what |
//! | `budgets` | how many requests each operation costs at Swift |
//! | `crash` | SIGKILL in the middle of pushes |
//! | `memory` | a push of 2 GiB in a few MiB of memory |
//! | `outage` | a Swift that is down, comes back, refuses the password or the container |
//! | `health` | registry:2's page of health and its four checks, probes, and that a check never shuts the registry |
//! | `metrics` | what is measured of real traffic, read by a real Prometheus; the dashboard and the alert rules on it |
//! | `operations` | read-only, limits, purging of uploads, reload, draining: what operators do while it runs |
//! | `command` | what the command prints, its exit statuses, SIGTERM |
//! | `incumbent` | registry:2 beside Apus, over one store, both ways |
//! | `garbage_collect` | `apus garbage-collect`: what is needed stays, what is not goes, in doubt nothing |
//! | `logs` | the forms of the log, the names in it, one identifier from client to Swift, and no secrets |
//! | `traces` | spans of a request, of its storage and of its requests to Swift in one trace, at a collector |
//! | `events` | what is told to others outlives the process, and costs clients nothing |
//! | `package` | the Debian package's service, the image, the example for Kubernetes, and the binary where there is nothing else |
//! | `docker_registry` | the configuration and the images of docker-registry 0.x, and the way out of it |
//! | `doctor` | `apus swift check`: on a Swift that is well, and on those that are not |
//!
//! The real Swift comes from `scripts/swift-up`, through the variables that it prints; `scripts/test` does all of it. A test
//! that lacks what it needs fails and says so.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and prints what it has measured"
)]

mod support;

mod acme;
mod auth;
mod budgets;
mod clients;
mod command;
mod conformance;
mod crash;
mod docker_registry;
mod doctor;
mod events;
mod garbage_collect;
mod health;
mod http;
mod incumbent;
mod logs;
mod memory;
mod metrics;
mod operations;
mod outage;
mod package;
mod protocol;
mod proxy;
mod redirects;
mod replicas;
mod tls;
mod traces;
mod upgrade;
mod v1;
