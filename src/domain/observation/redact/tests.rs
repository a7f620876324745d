//! What is hidden, what is left alone, and that hiding twice changes nothing.

use proptest::prelude::*;

use super::*;

#[test]
fn secrets_are_hidden() {
    for (given, expected) in [
        ("key AKIAIOSFODNN7EXAMPLE used", "key [redacted:aws-key] used"),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "aws_secret_access_key = [redacted:secret]",
        ),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer [redacted:authorization]"),
        ("authorization: Basic dXNlcjpwYXNzd29yZA==", "authorization: Basic [redacted:authorization]"),
        ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln back", "got [redacted:jwt] back"),
        ("post https://hooks.slack.com/services/T000/B000/XXXX now", "post [redacted:slack-webhook] now"),
        ("slack xoxb-1234567890-abcdefghij", "slack [redacted:slack-token]"),
        ("git ghp_0123456789abcdefghijklmnopqrstuvwxyz", "git [redacted:github-token]"),
        ("DB_PASSWORD=hunter2", "DB_PASSWORD=[redacted:password]"),
        (r#"{"password":"hunter2","user":"a"}"#, r#"{"password":"[redacted:password]","user":"a"}"#),
        (r#"{\"password\":\"hunter2\"}"#, r#"{\"password\":\"[redacted:password]\"}"#),
        ("postgres://app:s3cr3t@db:5432/x", "postgres://app:[redacted:password]@db:5432/x"),
        ("redis://:s3cr3t@cache:6379", "redis://:[redacted:password]@cache:6379"),
        ("run --token abcdef123456 -v", "run --token [redacted:secret] -v"),
        ("x-api-key: 9f8e7d6c5b4a3210", "x-api-key: [redacted:secret]"),
        ("client_secret=changeme", "client_secret=[redacted:secret]"),
        ("Cookie: session=abc; csrf=def", "Cookie: [redacted:cookie]"),
        ("?X-Amz-Signature=0123abcd&x=1", "?X-Amz-Signature=[redacted:secret]&x=1"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\\nMIIEow\\n-----END RSA PRIVATE KEY----- tail",
            "[redacted:private-key] tail",
        ),
        ("-----BEGIN PRIVATE KEY-----", "[redacted:private-key]"),
        ("b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAABlwAAAAdzc2gtcn", "[redacted:key-material]"),
        ("MIIEowIBAAKCAQEAx1Zz0m3pQ2rS5tU8vW1xY4zA7bC0dE3fG6hI9jK2lM5nO8pQ", "[redacted:key-material]"),
    ] {
        hides(given, expected);
    }
}

#[test]
fn text_of_others_is_cleaned_before_it_is_cut() {
    assert_eq!(clean(" pass\u{200b}word=hunter2\u{7} ", 100), "password=[redacted:password]\\x07");
    let near_the_cut = format!("{} token=abcdef123456", "x".repeat(90));
    assert!(!clean(&near_the_cut, 105).contains("abc"));
    assert_eq!(clean("größer", 3), "grö…");
}

fn hides(given: &str, expected: &str) {
    assert_eq!(redact(given).text, expected, "{given}");
    assert!(redact(given).count >= 1, "{given}");
}

#[test]
fn a_secret_is_hidden_to_its_end_and_by_every_name_it_goes_by() {
    for (given, expected) in [
        ("postgres://u:p@ss@host/db?mail=a@b", "postgres://u:[redacted:password]@host/db?mail=a@b"),
        ("smtp://me@example.com:s3cr3t@mail:25", "smtp://me@example.com:[redacted:password]@mail:25"),
        ("amqp://u:a@h1:5672,amqp://u:b@h2", "amqp://u:[redacted:password]@h1:5672,amqp://u:[redacted:password]@h2"),
        ("SECRET_KEY=django-1", "SECRET_KEY=[redacted:secret]"),
        ("JWT_SECRET_KEY: 9f8e7d6c5b4a", "JWT_SECRET_KEY: [redacted:secret]"),
        ("SECRET_KEY_BASE=0123abcd", "SECRET_KEY_BASE=[redacted:secret]"),
        (
            "ENCRYPTION_KEY=changeme app.signing.key=changeme",
            "ENCRYPTION_KEY=[redacted:secret] app.signing.key=[redacted:secret]",
        ),
        (r#"secretKey="changeme""#, r#"secretKey="[redacted:secret]""#),
        ("--access-key=changeme", "--access-key=[redacted:secret]"),
        ("DB_PASS=hunter2 db.pass: hunter2", "DB_PASS=[redacted:password] db.pass: [redacted:password]"),
        (r#"{"user":"a","pass":"hunter2"}"#, r#"{"user":"a","pass":"[redacted:password]"}"#),
        ("GET /login?user=a&pass=hunter2", "GET /login?user=a&pass=[redacted:password]"),
        (r#"{"password":"p4,ss w0rd","user":"a"}"#, r#"{"password":"[redacted:password]","user":"a"}"#),
        (r#"{"password":",a\"b}c"}"#, r#"{"password":"[redacted:password]"}"#),
        (r#"{\"password\":\"p4,s\\\"s w0rd\",\"user\":1}"#, r#"{\"password\":\"[redacted:password]\",\"user\":1}"#),
        ("password='p4 ss' user=a", "password='[redacted:password]' user=a"),
        (r#"password="AKIAIOSFODNN7EXAMPLE and more""#, r#"password="[redacted:password]""#),
        (r#"password="cut in the mid"#, r#"password="[redacted:password]"#),
        (
            r#"args ["--db-password","hunter2","--port","8080"]"#,
            r#"args ["--db-password","[redacted:secret]","--port","8080"]"#,
        ),
        (r#"run --secret-key "p4 ss" -v"#, r#"run --secret-key "[redacted:secret]" -v"#),
        (r"post https:\/\/hooks.slack.com\/services\/T0\/B0\/XX now", "post [redacted:slack-webhook] now"),
        ("hooks.slack.com/services/T0/B0/XX", "[redacted:slack-webhook]"),
        ("?to=https%3A//x&u=hooks.slack.com%2Fservices%2FT0%2FB0", "?to=https%3A//x&u=[redacted:slack-webhook]"),
    ] {
        hides(given, expected);
    }
}

#[test]
fn lists_environments_and_elements_hold_secrets_as_well() {
    for (given, expected) in [
        (
            "map[Authorization:[Basic dXNlcjpwYXNzd29yZDE=] Cookie:[session=abcdef123456; csrf=9]]",
            "map[Authorization:[Basic [redacted:authorization] Cookie:[[redacted:cookie]",
        ),
        (
            "headers: { 'set-cookie': [ 'sid=s%3Aabcdef; Path=/; HttpOnly' ] }",
            "headers: { 'set-cookie': [ '[redacted:cookie]' ] }",
        ),
        (r#"{"set-cookie":["sid=s%3Aabc"]}"#, r#"{"set-cookie":["[redacted:cookie]"]}"#),
        (r#"{"set-cookie":["lang=en; Path=/","sid=s3cr3t"]}"#, r#"{"set-cookie":["[redacted:cookie]"]}"#),
        ("'set-cookie': [ 'a=1; Path=/', 'sid=s3cr3t' ] }", "'set-cookie': [ '[redacted:cookie]' ] }"),
        ("cookies=[lang=en, sid=s3cr3t] status=502", "cookies=[[redacted:cookie]] status=502"),
        ("Authorization: Custom abc", "Authorization: Custom [redacted:authorization]"),
        ("authorization: User 9f8e7d6c5b4a39281706", "authorization: User [redacted:authorization]"),
        ("authorization: invalid tok_9f8e7d6c5b4a39281706", "authorization: invalid [redacted:authorization]"),
        ("authorization: for s3cr3t99 failed", "authorization: for [redacted:authorization] failed"),
        (r#"{"authorization":"hunter"}"#, r#"{"authorization":"[redacted:authorization]"}"#),
        (r#"{\"authorization\":\"hunter\"}"#, r#"{\"authorization\":\"[redacted:authorization]\"}"#),
        (r#"{"authorization":"token abcd"}"#, r#"{"authorization":"token [redacted:authorization]"}"#),
        (
            "curl -H 'Authorization: Key abcd' http://x",
            "curl -H 'Authorization: Key [redacted:authorization]' http://x",
        ),
        (r#"{"X-Api-Key":["9f8e7d6c5b4a"]}"#, r#"{"X-Api-Key":["[redacted:secret]"]}"#),
        (r#"{"name":"DB_PASSWORD","value":"hunter2"}"#, r#"{"name":"DB_PASSWORD","value":"[redacted:secret]"}"#),
        ("env {Name:DB_PASSWORD Value:hunter2}", "env {Name:DB_PASSWORD Value:[redacted:secret]}"),
        ("<user>app</user><password>hunter2</password>", "<user>app</user><password>[redacted:secret]</password>"),
        ("Authorization: ApiKey abcdef0123456789abcdef", "Authorization: ApiKey [redacted:authorization]"),
        ("https://x.net/c?sv=2022&sig=abc%2Bdef", "https://x.net/c?sv=2022&sig=[redacted:secret]"),
        ("curl -u admin:hunter22 http://x", "curl -u admin:[redacted:password] http://x"),
        (r#"client-secret : "abc def""#, r#"client-secret : "[redacted:secret]""#),
        ("Set-Cookie: a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/ next", "Set-Cookie: [redacted:cookie]"),
        ("Set-Cookie: lang=en; Path=/, sid=s3cr3t99; HttpOnly", "Set-Cookie: [redacted:cookie]"),
        ("Cookie: name=John Smith; session=abc123", "Cookie: [redacted:cookie]"),
        ("Cookie: opted_out; session=abc123", "Cookie: [redacted:cookie]"),
        ("postgres://app:7kQ/x9Zr@db/x", "postgres://app:[redacted:password]@db/x"),
        ("admin_token=48151623", "admin_token=[redacted:secret]"),
    ] {
        hides(given, expected);
    }
    let long = format!("postgres://u:{}@db/x", "a1".repeat(800));
    hides(&long, "postgres://u:[redacted:password]@db/x");
}

#[test]
fn harmless_text_is_left_alone() {
    for text in [
        "GET http://my-api:8080/v1/users?email=bob@example.com 500 41ms",
        "GET http://cache:6379/x@y 200",
        "kafka://b1:9092,b2:9092 for user@tenant",
        "INFO cookie=accepted pod=my-api-1 last=OOMKilled",
        "WARN set-cookie: off; upstream connection refused status=502 path=/v1/pay",
        "PWD=/usr/src/app NODE_ENV=production",
        r#"{"name":"tokens","value":635.0},{"name":"token","value":12}"#,
        "llm max_token=4096 total_token: 1234567",
        "signature=SHA256withRSA mismatch",
        "authorization: denied because of policy",
        "authorization: denied 4bf92f3577b34da6a3ce929d0e0e4736",
        "authorization: trace 4bf92f3577b34da6a3ce929d0e0e4736",
        "authorization: denied (4bf92f3577b34da6)",
        "authorization: request 0b5c7a5e-3f0e-4a53-9a55-8a4b8c2f9d10 failed",
        "authorization: trace 1-581cf771-a006649127e371903a2de979",
        r#"{"authorization":"denied","next":{"authorization":{"type":"jwt"}}}"#,
        "Authorization: Access denied",
        "authorization: policy check",
        r#"{"cookies":["accepted","declined"]}"#,
        "cookie=off, status=502, upstream=10.0.0.7",
        "FargateServiceTaskDefWebContainer/web/0123456789abcdef0123456789abcdef",
        "OrdersServiceProductionApplicationBackgroundWorkerDeployment2/instance",
        "GET /v1/orders/88121 200 41ms",
        "input_tokens=1200 output_tokens=300",
        "SyntaxError: Unexpected token: string (3)",
        "password: required",
        "Invalid password: null",
        "token: expired",
        "bearer token missing",
        "bearer authentication off",
        "region asia-east1, zone ap-southeast-1",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "see https://example.com/a:b?c=d",
        "mail ops@example.com about https://example.com/",
        "secret \"my-api-tls\" not found",
        "task-0412 risk-averse sk-ip",
        "no credentials found",
        "cookie jar is empty",
        "java.lang.OutOfMemoryError: Java heap space",
        "OOMKilled exit=137 pod=my-api-7d9f-x2x4",
        r#"{"msg":"wrong password:","user":"bob"}"#,
        r#"{"password":"must have 8 characters","token":null}"#,
        r#"{"suite":"api","pass":1204,"fail":3}"#,
        r#"{"password":"","user":"bob"}"#,
        "tests_pass=12 second_pass: ok",
        r#"["--use-token","--port","8080"]"#,
        r#"Unexpected token: "end of file""#,
        "proxy_pass http://my-api:8080/",
        "partition_key=ab12 sort.key: region",
        "see hooks.slack.com for details",
    ] {
        assert_eq!(redact(text), Redacted { text: text.to_owned(), count: 0 });
    }
}

proptest! {
    #[test]
    fn hiding_twice_changes_nothing(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "password=", "token:", "secret", "AKIAIOSFODNN7EXAMPLE", "Bearer ", "\"", " ", "://", "a:b@", "eyJabcdefgh.abcdefg",
                "--token ", "Cookie: ", "abc123def456", "[redacted:x]", "authorization: ", ",", "}", "ghp_", "\\", "'",
                "\"pass\":\"", "\n", "--secret-key\",\"", "hooks.slack.com\\/services/", "SECRET_KEY=", "[",
                "\\x1b[36m", "\\n", "cookies=a=b; c", "name:X_TOKEN value=", "<token>ab12cd</", "curl -u a:b", "https://h:80/", "@",
            ]),
            0..12,
        ),
    ) {
        let once = redact(&words.concat());
        prop_assert_eq!(redact(&once.text).text, once.text);
    }

    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        let _ = redact(&text);
    }
}
