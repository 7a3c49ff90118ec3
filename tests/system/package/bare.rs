//! The binary with nothing around it, as in an image that is built `FROM scratch`: no `/dev`, `/proc`, `/etc` or `/tmp`. The one that
//! is tested is not static, so the libraries lie there that it is linked to.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::clients::programs::run;
use crate::support::Apus;
use crate::support::apus::without_settings;
use crate::support::content::random;

/// The number of getrandom(2).
const GETRANDOM: u32 = if cfg!(target_arch = "aarch64") { 278 } else { 318 };

/// Refuses one system call to a command, by seccomp(2): number, command, arguments.
const REFUSE: &str = r"
import ctypes, os, struct, sys
refused = int(sys.argv[1])
program = b''.join(struct.pack('HBBI', *instruction) for instruction in [
    (0x20, 0, 0, 0),              # load the number of the system call
    (0x15, 0, 1, refused),        # unless it is this one, go one further
    (0x06, 0, 0, 0x00050000 | 1), # fail with EPERM
    (0x06, 0, 0, 0x7fff0000),     # allow
])
buffer = ctypes.create_string_buffer(program, len(program))
filter = struct.pack('HxxxxxxP', len(program) // 8, ctypes.addressof(buffer))
libc = ctypes.CDLL(None, use_errno=True)
for arguments in [(38, 1, 0, 0, 0), (22, 2, filter, 0, 0)]: # no new privileges, seccomp
    if libc.prctl(*arguments):
        sys.exit(os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[2], sys.argv[2:])
";

/// A directory with the binary, `/apus`, and its libraries.
fn root() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_apus"));
    let put = |from: &Path, to: &Path| {
        let to = root.path().join(to.strip_prefix("/").unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    };
    put(binary, Path::new("/apus"));
    let libraries = run(Command::new("ldd").arg(binary));
    libraries
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(Path::new)
        .for_each(|path| put(path, path));
    root
}

/// `apus serve` as seen from within.
fn serve_in(mut command: Command, root: &TempDir) -> Command {
    command.args(["unshare", "--map-root-user", "chroot"]).arg(root.path()).args(["/apus", "serve"]);
    command.env("REGISTRY_HTTP_ADDR", "127.0.0.1:0").env("REGISTRY_LOG_FORMATTER", "json");
    command
}

/// Promise: it serves, and keeps what is pushed.
#[tokio::test]
async fn nothing_else_is_needed() {
    let root = root();
    let apus = Apus::start_by(serve_in(without_settings(Command::new("env")), &root));
    let content = random(2 << 20);
    let blob = apus.client().push("a", content.clone()).await;
    apus.client().push_manifest("a", "latest", &[]).await;
    let pulled = apus.client().get(&format!("/v2/a/blobs/{blob}")).await.expect(200);
    assert!(pulled.body == content);
    apus.client().get("/v2/a/manifests/latest").await.expect(200);
    assert!(root.path().join("apus-data").is_dir() && !root.path().join("dev").exists());
}

/// Promise: where getrandom(2) is refused, with devices in its place or without, this is told of at the start, with what to do.
#[test]
fn no_random_bytes() {
    let refusing = || {
        let mut command = without_settings(Command::new("python3"));
        command.args(["-c", REFUSE, &GETRANDOM.to_string()]);
        command
    };
    let mut with_devices = refusing();
    with_devices.args([env!("CARGO_BIN_EXE_apus"), "config", "show"]);
    for mut command in [serve_in(refusing(), &root()), with_devices] {
        let ended = command.output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{told}");
        let expected = "apus: the system gives no random bytes: let this process call getrandom(2)";
        assert!(told.contains(expected) && told.contains("because: "), "{told}");
        assert!(!told.contains("panicked"), "{told}");
    }
}
