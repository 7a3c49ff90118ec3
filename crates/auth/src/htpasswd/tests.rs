use std::fs;

use super::*;

fn hash(password: &str) -> String {
    bcrypt::hash_with_salt(password, 4, [3; 16]).unwrap().to_string()
}

struct Fixture {
    directory: tempfile::TempDir,
    htpasswd: Htpasswd,
}

impl Fixture {
    fn new(content: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("htpasswd");
        fs::write(&path, content).unwrap();
        let mut htpasswd = Htpasswd::open(&path).unwrap();
        htpasswd.file = htpasswd.file.impatient();
        Self { directory, htpasswd }
    }

    fn write(&self, content: &str) {
        fs::write(self.directory.path().join("htpasswd"), content).unwrap();
    }

    async fn verify(&self, user: &str, password: &str) -> Result<Identity, PasswordError> {
        self.htpasswd.verify(&BasicCredentials::new(user, password.as_bytes()).unwrap()).await
    }

    async fn remembered(&self) -> usize {
        self.htpasswd.file.get().await.unwrap().value.remembered.len()
    }
}

#[tokio::test]
async fn a_right_password_opens_and_only_it_is_remembered() {
    let users = Fixture::new(&format!("alice:{}\n", hash("sesame")));
    for _ in 0..2 {
        assert_eq!(users.verify("alice", "sesame").await.unwrap().name(), Some("alice"));
        assert!(matches!(users.verify("alice", "wrong").await, Err(PasswordError::Wrong)));
        assert!(matches!(users.verify("bob", "sesame").await, Err(PasswordError::Wrong)));
        assert_eq!(users.remembered().await, 1);
    }
}

#[tokio::test]
async fn a6_a_password_that_was_taken_back_is_forgotten_with_its_file() {
    let users = Fixture::new(&format!("alice:{}\n", hash("old")));
    users.verify("alice", "old").await.unwrap();
    users.write(&format!("alice:{}\nbob:{}\n", hash("new"), hash("b")));
    assert!(matches!(users.verify("alice", "old").await, Err(PasswordError::Wrong)));
    users.verify("alice", "new").await.unwrap();
    users.verify("bob", "b").await.unwrap();
    fs::remove_file(users.directory.path().join("htpasswd")).unwrap();
    assert!(matches!(users.verify("alice", "new").await, Err(PasswordError::File(_))));
}

#[tokio::test]
async fn what_is_stale_is_checked_again() {
    let users = Fixture::new(&format!("alice:{}\n", hash("sesame")));
    let file = users.htpasswd.file.get().await.unwrap();
    let Some(long_ago) = Instant::now().checked_sub(REMEMBERED) else { return };
    file.value
        .remembered
        .insert(file.value.known_as(&BasicCredentials::new("alice", b"forged").unwrap()), long_ago);
    assert!(matches!(users.verify("alice", "forged").await, Err(PasswordError::Wrong)));
}

#[tokio::test]
async fn a_flood_of_passwords_is_turned_away_but_not_those_who_are_in() {
    let users = Fixture::new(&format!("alice:{}\n", hash("sesame")));
    users.verify("alice", "sesame").await.unwrap();
    let permits = u32::try_from(users.htpasswd.waiting.available_permits()).unwrap();
    let _flood = users.htpasswd.waiting.acquire_many(permits).await.unwrap();
    assert!(matches!(users.verify("alice", "wrong").await, Err(PasswordError::Busy)));
    users.verify("alice", "sesame").await.unwrap();
}

#[tokio::test]
async fn no_more_are_hashed_at_once_than_may_be() {
    let users = Fixture::new(&format!("alice:{}\n", hash("sesame")));
    let at_once = u32::try_from(users.htpasswd.hashing.available_permits()).unwrap();
    let all = Arc::clone(&users.htpasswd.hashing).acquire_many_owned(at_once).await.unwrap();
    let task = tokio::spawn(async move { users.verify("alice", "sesame").await.is_ok() });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!task.is_finished(), "it waits for a place");
    drop(all);
    assert!(task.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_with_the_same_password_are_all_answered() {
    let users = Arc::new(Fixture::new(&format!("alice:{}\n", hash("sesame"))));
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let users = Arc::clone(&users);
            let password = if number % 2 == 0 { "sesame" } else { "wrong" };
            tokio::spawn(async move { users.verify("alice", password).await.is_ok() == (number % 2 == 0) })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
}

#[tokio::test]
async fn a10_nothing_of_the_file_is_shown() {
    let users = Fixture::new(&format!("alice:{}\nhunter2\n", hash("sesame")));
    users.verify("alice", "sesame").await.unwrap();
    let file = users.htpasswd.file.get().await.unwrap();
    let shown = format!("{:?} {file:?} {:?}", users.htpasswd, users.htpasswd.complaints());
    for secret in ["sesame", "hunter2", "$2"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert_eq!(users.htpasswd.complaints().len(), 1);
}

#[tokio::test]
async fn a21_no_file_is_made_where_there_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("htpasswd");
    Htpasswd::open(&path).unwrap_err();
    assert!(!path.exists());
}
