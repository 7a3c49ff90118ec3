use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::*;

/// A helper that counts how often it is asked, and answers what it was asked for.
fn helper(directory: &tempfile::TempDir, word: &str) -> PathBuf {
    let path = directory.path().join("helper");
    let asked = directory.path().join("asked");
    let script = format!("#!/bin/sh\nread server || :\necho \"$1 $server\" >>{}\n{word}\n", asked.display());
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

fn logins(command: &std::path::Path, lifetime: Option<Duration>) -> Logins {
    let command = command.display().to_string();
    Logins::new(Some(Credentials::Helper { command, lifetime }), "r.example:5000".to_owned())
}

fn asked(directory: &tempfile::TempDir) -> Vec<String> {
    let asked = std::fs::read_to_string(directory.path().join("asked")).unwrap_or_default();
    asked.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_helper_is_asked_once_in_its_lifetime() {
    for (lifetime, times) in [(None, 1), (Some(Duration::from_hours(1)), 1), (Some(Duration::ZERO), 2)] {
        let directory = tempfile::tempdir().unwrap();
        let word = r#"echo '{"ServerURL":"x","Username":"me","Secret":"hunter2"}'"#;
        let logins = logins(&helper(&directory, word), lifetime);
        for _ in 0..2 {
            let login = logins.login().await.unwrap().unwrap();
            assert_eq!(login.basic().unwrap().to_str().unwrap(), "Basic bWU6aHVudGVyMg==");
            assert!(!format!("{login:?}{:?}{logins:?}", login.basic()).contains("hunter2"));
        }
        assert_eq!(asked(&directory), vec!["get r.example:5000"; times], "{lifetime:?}");
        logins.distrust().await;
        logins.login().await.unwrap();
        assert_eq!(asked(&directory).len(), times + 1);
    }
}

#[tokio::test]
async fn a_helper_that_fails_shows_no_secret() {
    for word in ["exit 1", "echo '{\"Secret\":\"hunter2\"}'", "echo hunter2", ":"] {
        let directory = tempfile::tempdir().unwrap();
        let error = logins(&helper(&directory, word), None).login().await.unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    assert!(logins(std::path::Path::new("/nowhere/helper"), None).login().await.is_err());
}
