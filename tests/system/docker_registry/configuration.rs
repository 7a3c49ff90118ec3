//! Its configuration: what an operator has starts Apus, and `apus config` knows what it is.

use std::process::{Command, Stdio};

use apus_swift::{Password, SwiftClient, SwiftConfig};
use futures_util::TryStreamExt;
use hyper::Method;

use crate::support::backend::{new_container, variable};
use crate::support::content::{digest, random};
use crate::support::{Apus, apus};

/// The example of docker-registry-driver-swift's README, to which [`ADDED`] is added.
const README: &str = "\
common: &common
    standalone: true
    loglevel: _env:LOGLEVEL:info

prod: &prod
    <<: *common
    storage: swift
    storage_path: _env:STORAGE_PATH:/registry
    swift_authurl: _env:OS_AUTH_URL
    swift_container: _env:OS_CONTAINER
    swift_user: _env:OS_USERNAME
    swift_password: _env:OS_PASSWORD
    swift_tenant_name: _env:OS_TENANT_NAME
    swift_region_name: _env:OS_REGION_NAME
";

/// What is added for a Keystone without version 2.
const ADDED: &str = "    swift_auth_version: 3
    swift_domain_name: Default
";

/// A command with the variables that the example names, as a cloud's `openrc` has them.
fn command(container: &str) -> Command {
    let mut command = apus::command();
    for name in ["OS_AUTH_URL", "OS_USERNAME", "OS_PASSWORD", "OS_REGION_NAME"] {
        command.env(name, variable(name));
    }
    command.env("OS_TENANT_NAME", variable("OS_PROJECT_NAME")).env("OS_CONTAINER", container);
    command.env("SETTINGS_FLAVOR", "prod");
    command
}

/// Promise: the example starts Apus on the real Keystone, and what is pushed lies below its `storage_path`.
#[tokio::test]
async fn the_readmes_example_starts_apus() {
    let container = new_container();
    let mut command = command(&container);
    command.envs([
        ("REGISTRY_HOST", "127.0.0.1"),
        ("REGISTRY_PORT", "0"),
        ("REGISTRY_LOG_FORMATTER", "json"),
    ]);
    // Version 2 as well, by which this test looks.
    command.env("REGISTRY_V1_EXCLUSIVE", "false");
    let apus = Apus::start_file(command, &format!("{README}{ADDED}"));
    let content = random(100_000);
    let digest = digest(&content);
    let path = format!("/v2/a/blobs/uploads/?digest={digest}");
    apus.client().request(Method::POST, &path, &[], content.clone()).await.expect(201);
    let blob =
        apus.client().request(Method::GET, &format!("/v2/a/blobs/{digest}"), &[], "").await.expect(200);
    assert_eq!(blob.body, content);
    drop(apus);
    let names = names(&container).await;
    assert!(names.iter().any(|name| name.starts_with("registry/docker/registry/v2/blobs/")), "{names:?}");
    assert!(names.iter().all(|name| name.starts_with("registry/")), "{names:?}");
}

/// The names of all objects in a container of the account that Keystone's user has.
async fn names(container: &str) -> Vec<String> {
    let [user, password, project] = ["OS_USERNAME", "OS_PASSWORD", "OS_PROJECT_NAME"].map(variable);
    let user = Password::new(user.as_str(), password.as_str()).for_project(project.as_str());
    let config = SwiftConfig::new(variable("OS_AUTH_URL"), user, container);
    let container = SwiftClient::new(&config).unwrap().container(container);
    let entries: Vec<_> = container.entries("", false).try_collect().await.unwrap();
    entries.iter().map(|entry| entry.name().to_owned()).collect()
}

/// Promise: the converted file means the same to the command, and shows no password.
#[test]
fn it_is_checked_shown_and_converted() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (directory.path().join("old.yml"), directory.path().join("new.yml"));
    std::fs::write(&old, format!("{README}{ADDED}")).unwrap();
    let run = |arguments: &[&str], file: &std::path::Path, variables: &[(&str, &str)]| {
        let mut command = command("images");
        command.args(arguments).arg(file).envs(variables.iter().copied()).stdin(Stdio::null());
        let output = command.env("OS_PASSWORD", "hunter2").output().unwrap();
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(!out.contains("hunter2") && !err.contains("hunter2"), "{out}{err}");
        (output.status.code(), out, err)
    };
    let (status, told, _) = run(&["config", "check"], &old, &[]);
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("note: a file of docker-registry 0.x, of which the flavour prod counts"), "{told}");

    let (status, yaml, told) = run(&["config", "convert"], &old, &[]);
    assert_eq!(status, Some(0), "{told}");
    std::fs::write(&new, &yaml).unwrap();
    let (status, told, _) =
        run(&["config", "check"], &new, &[("REGISTRY_STORAGE_SWIFT_PASSWORD", "hunter2")]);
    assert_eq!(status, Some(0), "{told}\n{yaml}");
    // What is shown of both is the same, but for where it comes from, and that the new one says that nobody signs in.
    let settings = |file: &std::path::Path| {
        let (status, told, err) =
            run(&["config", "show"], file, &[("REGISTRY_STORAGE_SWIFT_PASSWORD", "hunter2")]);
        assert_eq!(status, Some(0), "{err}");
        let settings = told.lines().map(|line| line.split("  # ").next().unwrap().to_owned());
        settings.filter(|line| line != "auth:" && line != "  none: {}").collect::<Vec<_>>()
    };
    assert_eq!(settings(&old), settings(&new));

    let (status, _, told) = run(&["config", "convert"], &new, &[]);
    assert_eq!(status, Some(1));
    assert!(told.contains("is no file of docker-registry 0.x"), "{told}");
}
