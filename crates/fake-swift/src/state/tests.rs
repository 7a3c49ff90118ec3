use super::*;

fn object(state: &mut State, data: &'static str) -> StoredObject {
    let now = state.clock.tick();
    StoredObject {
        data: Bytes::from_static(data.as_bytes()),
        etag: md5_hex(data.as_bytes()),
        content_type: "text/plain".into(),
        headers: HeaderMap::new(),
        manifest: None,
        written: now,
        modified: now,
    }
}

fn put(state: &mut State, object: StoredObject) {
    state.put_object("c", "o", object);
}

fn read(state: &State) -> Option<&[u8]> {
    state.object("c", "o").map(|object| object.data.as_ref())
}

#[test]
fn the_write_that_began_last_wins() {
    let mut state = State::new(&Options::default());
    assert!(state.create_container("c"));
    assert!(!state.create_container("c"));
    let (older, newer) = (object(&mut state, "older"), object(&mut state, "newer"));
    put(&mut state, newer);
    put(&mut state, older);
    assert_eq!(read(&state), Some(&b"newer"[..]));
    assert_eq!(state.containers["c"].rows().get("o", Timestamp::LATEST).unwrap().hash, md5_hex(b"newer"));
}

#[test]
fn a_write_that_began_before_a_delete_does_not_bring_the_object_back() {
    let mut state = State::new(&Options::default());
    state.create_container("c");
    let slow = object(&mut state, "slow");
    assert_eq!(state.delete_object("c", "o"), Deletion::NotFound);
    put(&mut state, slow);
    assert_eq!(read(&state), None);
    let next = object(&mut state, "next");
    put(&mut state, next);
    assert_eq!(read(&state), Some(&b"next"[..]));
    assert_eq!(state.delete_object("c", "o"), Deletion::Done);
}

#[test]
fn an_expired_object_is_listed_but_not_read() {
    let mut state = State::new(&Options::default());
    state.create_container("c");
    let mut brief = object(&mut state, "brief");
    brief.headers.insert(X_DELETE_AT, 1.into());
    put(&mut state, brief);
    assert_eq!(read(&state), None);
    assert!(state.containers["c"].rows().get("o", Timestamp::LATEST).is_some());
}
