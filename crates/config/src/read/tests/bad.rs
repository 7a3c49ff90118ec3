//! Files that must not start, each with the whole line that says why.

use super::parse;

fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        match parse(text) {
            Ok(_) => panic!("started, but should say {expected:?}:\n{text}"),
            Err(error) => assert_eq!(error.to_string(), format!("config.yml:{expected}"), "\n{text}"),
        }
    }
}

#[test]
fn the_shape_of_the_file() {
    check(&[
        ("", "1:1: version: missing, expected 0.1, the only version of the registry's configuration"),
        (
            "# only a comment\n",
            "1:1: version: missing, expected 0.1, the only version of the registry's configuration",
        ),
        (
            "storage: inmemory\n",
            "1:1: version: missing, expected 0.1, the only version of the registry's configuration",
        ),
        (
            "version: 0.2\nstorage: inmemory\n",
            "1:10: version: found \"0.2\", expected 0.1, the only version of the registry's configuration",
        ),
        (
            "version: '1'\nstorage: inmemory\n",
            "1:10: version: found \"1\", expected 0.1, the only version of the registry's configuration",
        ),
        (
            "version: [0.1]\n",
            "1:10: version: found a list, expected 0.1, the only version of the registry's configuration",
        ),
        ("hello\n", "1:1: the file: found \"hello\", expected a mapping of keys to values"),
        ("- version: 0.1\n", "1:1: the file: found a list, expected a mapping of keys to values"),
        ("version: 0.1\nversion: 0.1\n", "2:1: version: given twice, first at config.yml:1:1"),
        (
            "version: 0.1\nstorage:\n  filesystem: {}\n  delete: {enabled: true}\n  filesystem: {}\n",
            "5:3: filesystem: given twice, first at config.yml:3:3",
        ),
        ("version: 0.1\nlog: {level: info\n", "2:6: not a valid YAML configuration: unclosed bracket '{'"),
        (
            "version: 0.1\nhttp:\n\taddr: :5000\n",
            "3:2: not a valid YAML configuration: tabs disallowed within this context (block indentation)",
        ),
        (
            "version: 0.1\nstorage:\n  swift:\n    password: hunter2: x\n",
            "4:22: not a valid YAML configuration: mapping values are not allowed in this context",
        ),
        (
            "version: 0.1\n---\nversion: 0.1\n",
            "2:1: not a valid YAML configuration: a second document begins here; a configuration is one document",
        ),
    ]);
}

#[test]
fn storage() {
    check(&[
        ("version: 0.1\n", "1:1: storage: missing, expected one of filesystem, inmemory, swift"),
        (
            "version: 0.1\nstorage:\n",
            "2:1: storage.<driver>: missing, expected one of filesystem, inmemory, swift",
        ),
        (
            "version: 0.1\nstorage:\n  delete: {enabled: true}\n",
            "2:1: storage.<driver>: missing, expected one of filesystem, inmemory, swift",
        ),
        (
            "version: 0.1\nstorage: [swift]\n",
            "2:10: storage: found a list, expected a mapping of keys to values",
        ),
        (
            "version: 0.1\nstorage:\n  swift: {}\n  filesystem: {}\n",
            "4:3: storage.filesystem: a second storage driver beside storage.swift at config.yml:3:3; \
             give exactly one",
        ),
        (
            "version: 0.1\nstorage: {inmemory: , filesystem: {rootdirectory: /x}}\n",
            "2:23: storage.filesystem: a second storage driver beside storage.inmemory at config.yml:2:11; \
             give exactly one",
        ),
        (
            "version: 0.1\nstorage:\n  s3:\n    bucket: b\n",
            "3:3: storage.s3: Apus has no such storage driver; expected one of filesystem, inmemory, swift",
        ),
        (
            "version: 0.1\nstorage: gcs\n",
            "2:10: storage.gcs: Apus has no such storage driver; expected one of filesystem, inmemory, swift",
        ),
        (
            "version: 0.1\nstorage:\n  filesytem:\n    rootdirectory: /x\n",
            "3:3: storage.filesytem: no storage driver or key of storage; \
             expected one of filesystem, inmemory, swift; did you mean \"filesystem\"?",
        ),
        (
            "version: 0.1\nstorage:\n  inmemory:\n  Delete: {enabled: true}\n",
            "4:3: storage.Delete: no storage driver or key of storage; \
             expected one of filesystem, inmemory, swift; did you mean \"delete\"?",
        ),
        (
            "version: 0.1\nstorage:\n  inmemory:\n  delete:\n    enabled: 'true'\n",
            "5:14: storage.delete.enabled: found \"true\", expected true or false, without quotes",
        ),
        (
            "version: 0.1\nstorage: {inmemory: , delete: true}\n",
            "2:31: storage.delete: found \"true\", expected a mapping of keys to values",
        ),
        (
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: [/x]\n",
            "4:20: storage.filesystem.rootdirectory: found a list, expected a single text",
        ),
    ]);
}

#[test]
fn swift() {
    const SWIFT: &str = "version: 0.1\nstorage:\n  swift:\n    username: u\n    password: p\n    container: c\n    \
                         authurl: https://k/v3\n";
    check(&[
        (
            "version: 0.1\nstorage: swift\n",
            "2:10: storage.swift.username: missing, expected the name of a user",
        ),
        (
            &SWIFT.replace("username: u", "Username:"),
            "3:3: storage.swift.username: missing, expected the name of a user",
        ),
        (
            &SWIFT.replace("password: p", "password: ''"),
            "3:3: storage.swift.password: missing, expected the user's password",
        ),
        (
            &SWIFT.replace("authurl: https://k/v3", "region: r"),
            "3:3: storage.swift.authurl: missing, expected an http or https URL without credentials, \
             such as https://keystone.example:5000/v3",
        ),
        (
            &SWIFT.replace("container: c", "container: ~"),
            "3:3: storage.swift.container: missing, expected the name of a container, without a slash",
        ),
        (
            &SWIFT.replace("container: c", "container: a/b"),
            "6:16: storage.swift.container: found \"a/b\", expected the name of a container, without a slash",
        ),
        (
            &SWIFT.replace("password: p", "password: {hunter2: hunter3}"),
            "5:15: storage.swift.password: found a mapping, expected a single text",
        ),
        (
            &SWIFT.replace("password: p", "password: p\n    Password: q"),
            "6:5: storage.swift.password: given twice, first at config.yml:5:5",
        ),
        (
            &SWIFT.replace("https://k/v3", "https://me:hunter2@k/v3"),
            "7:14: storage.swift.authurl: found \"<hidden>@k/v3\", expected an http or https URL \
             without credentials, such as https://keystone.example:5000/v3",
        ),
        (
            &format!("{SWIFT}    chunksize: 512K\n"),
            "8:16: storage.swift.chunksize: found \"512K\", expected a number of bytes, at least 1048576, \
             such as 20971520, 20M or 64MiB",
        ),
        (
            &format!("{SWIFT}    authversion: 4\n"),
            "8:18: storage.swift.authversion: found \"4\", expected 1, 2, 3, or 0 to guess",
        ),
        (
            &format!("{SWIFT}    endpointtype: publicURL\n"),
            "8:19: storage.swift.endpointtype: found \"publicURL\", expected public, internal or admin",
        ),
        (
            &format!("{SWIFT}    insecureskipverify: maybe\n"),
            "8:25: storage.swift.insecureskipverify: found \"maybe\", expected true or false, without quotes",
        ),
        (
            &format!("{SWIFT}    tempurlmethods: GET\n"),
            "8:21: storage.swift.tempurlmethods: found \"GET\", expected a list of texts",
        ),
        (
            &format!("{SWIFT}    tempurlmethods: [GET, [HEAD]]\n"),
            "8:27: storage.swift.tempurlmethods[1]: found a list, expected a single text",
        ),
    ]);
}

#[test]
fn http() {
    const ADDR: &str = "expected host:port, such as 127.0.0.1:5000, :5000 or [::1]:5000";
    let http = |line: &str| format!("version: 0.1\nstorage: inmemory\nhttp:\n  {line}\n");
    check(&[
        (&http("addr: 5000"), &format!("4:9: http.addr: found \"5000\", {ADDR}")),
        (&http("addr: localhost"), &format!("4:9: http.addr: found \"localhost\", {ADDR}")),
        (&http("addr: :65536"), &format!("4:9: http.addr: found \":65536\", {ADDR}")),
        (
            &http("host: registry.example"),
            "4:9: http.host: found \"registry.example\", expected an http or https URL without credentials, \
             such as https://registry.example",
        ),
        (
            &http("prefix: registry"),
            "4:11: http.prefix: found \"registry\", expected a path that begins with a slash, such as /registry/",
        ),
        (
            &http("draintimeout: 30 seconds"),
            "4:17: http.draintimeout: found \"30 seconds\", expected a duration, such as 30s or 1m30s",
        ),
        (
            &http("draintimeout: -1s"),
            "4:17: http.draintimeout: found \"-1s\", expected a duration, such as 30s or 1m30s",
        ),
        (
            &http("relativeurls: 1"),
            "4:17: http.relativeurls: found \"1\", expected true or false, without quotes",
        ),
        (&http("secret: [hunter2]"), "4:11: http.secret: found a list, expected a single text"),
        (
            &http("net: unix"),
            "3:1: http.addr: missing, expected the path of the socket, for http.net is unix",
        ),
        (&http("net: udp"), "4:8: http.net: found \"udp\", expected tcp or unix"),
    ]);
}
