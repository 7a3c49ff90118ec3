use super::ListenAddress;

#[test]
fn reads_every_form_and_writes_it_back() {
    for (text, host, port) in [
        ("127.0.0.1:5000", "127.0.0.1", 5000),
        ("0.0.0.0:5000", "0.0.0.0", 5000),
        (":5000", "", 5000),
        ("[::1]:5000", "::1", 5000),
        ("[::]:0", "::", 0),
        ("localhost:0", "localhost", 0),
        ("my_host-1.example:65535", "my_host-1.example", 65535),
    ] {
        let address = ListenAddress::parse(text).unwrap();
        assert_eq!((address.host.as_str(), address.port), (host, port), "{text}");
        assert_eq!(address.to_string(), text);
    }
}

#[test]
fn refuses_what_is_no_address() {
    for text in [
        "",
        "5000",
        "localhost",
        "localhost:",
        ":http",
        ":65536",
        ":+5",
        ":-1",
        "::1:5000",
        "[::1]",
        "[::1:5000",
        "[localhost]:5000",
        "[]:5000",
        "a b:5000",
        "http://localhost:5000",
        "/run/registry.sock",
        "é:5000",
    ] {
        assert_eq!(ListenAddress::parse(text), None, "{text:?}");
    }
}
