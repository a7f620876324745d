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

#[test]
fn secrets_are_hidden_in_sentences_dumps_and_encodings() {
    for (given, expected) in [
        ("authorization: invalid token tok_9f8e7d6c5b4a", "authorization: invalid token [redacted:authorization]"),
        (
            "authorization: bearer token s3cr3t99 rejected",
            "authorization: bearer token [redacted:authorization] rejected",
        ),
        ("Authorization: Bearer: hunter22", "Authorization: Bearer: [redacted:authorization]"),
        (r#"Authorization: Bearer "s3cr3t99""#, r#"Authorization: Bearer "[redacted:authorization]""#),
        (
            r#"Authorization: Digest username="bob", nonce="ab", response="0123ab" 401"#,
            "Authorization: Digest [redacted:authorization] 401",
        ),
        (r#"["Authorization", "Basic s3cr3t99"]"#, r#"["Authorization", "Basic [redacted:authorization]"]"#),
        ("[(b'cookie', b'sid=s3cr3t')]", "[(b'cookie', b'[redacted:cookie]')]"),
        ("GET / JSESSIONID=0A1B2C3D", "GET / JSESSIONID=[redacted:cookie]"),
        ("user sent Basic dXNlcjpwYXNzd29yZDE= to us", "user sent Basic [redacted:authorization] to us"),
        ("the password is hunter2x", "the password is [redacted:password]"),
        (r#"password was "hunter" yesterday"#, r#"password was "[redacted:password]" yesterday"#),
        ("Incorrect API key provided: 9f8e7d6c5b4a", "Incorrect API key provided: [redacted:secret]"),
        ("using token 9f8e7d6c5b4a for bob", "using token [redacted:secret] for bob"),
        (
            r#"{"a":"{\"b\":\"{\\\"password\\\":\\\"hunter2\\\"}\"}"}"#,
            r#"{"a":"{\"b\":\"{\\\"password\\\":\\\"[redacted:password]\\\"}\"}"}"#,
        ),
        ("Authorization%3A%20Bearer%20s3cr3t99&x", "Authorization%3A%20Bearer%20[redacted:authorization]&x"),
        ("?to=%2Fx%3Ftoken%3Ds3cr3t99%26y%3D1", "?to=%2Fx%3Ftoken%3D[redacted:secret]%26y%3D1"),
        ("%22password%22%3A%22hunter2%22%2C%22u", "%22password%22%3A%22[redacted:secret]%22%2C%22u"),
        ("postgres%3A%2F%2Fapp%3Ahunter2%40db%2Fx", "postgres%3A%2F%2Fapp%3A[redacted:password]%40db%2Fx"),
        ("https://9f8e7d6c5b4a@github.com/o/x", "https://[redacted:secret]@github.com/o/x"),
        ("Server=db;Password=correct horse;Encrypt=true", "Server=db;Password=[redacted:password];Encrypt=true"),
        ("jdbc:oracle:thin:app/hunter2@//db:1521/x", "jdbc:oracle:thin:app/[redacted:password]@//db:1521/x"),
        ("mysql -u root -phunter2 shop", "mysql -u root -p[redacted:password] shop"),
        ("sshpass -p hunter2 ssh db", "sshpass -p [redacted:password] ssh db"),
        ("ALTER USER app WITH PASSWORD 'hunter'", "ALTER USER app WITH PASSWORD '[redacted:password]'"),
        ("CREATE USER a IDENTIFIED BY 'hunter'", "CREATE USER a IDENTIFIED BY '[redacted:password]'"),
        ("password: |\n  hunter2\nuser: a", "password: |\n  [redacted:password]\nuser: a"),
        ("cut eyJhbGciOiJIUzI1NiIsInR5c", "cut [redacted:jwt]"),
        (
            "x\nMIIEowIBAAKCAQEAx1Zz0m3pQ2rS5tU8vW1xY4zA7bC0dE3fG6\nQEAx=\n-----END RSA PRIVATE KEY-----\ny",
            "x\n[redacted:private-key]\ny",
        ),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQOY", "[redacted:private-key]"),
    ] {
        hides(given, expected);
    }
}

#[test]
fn issued_keys_are_known_by_their_beginning() {
    for (issued, kind) in [
        ("xoxe.xoxp-1-Mi0yLTEyMzQ1Njc4", "slack-token"),
        ("xoxc-123456789012-123456", "slack-token"),
        ("glrt-0123456789abcdefghij", "api-key"),
        ("sk_test_0123456789abcdefgh", "api-key"),
        ("whsec_0123456789abcdefghijkl", "api-key"),
        ("sk-ant-api03-0123456789abcdefghij-A_b", "api-key"),
        ("hvs.CAESIJ0123456789abcdefghij", "api-key"),
        ("ya29.a0AfH6SMBx0123456789abcdef", "api-key"),
        ("hf_abcdefghijklmnopqrstuvwxyz01234567", "api-key"),
        ("SG.abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuv", "api-key"),
        ("ABSKQmVkcm9ja0FQSUtleS0123456789abcdefghijklmnop", "api-key"),
    ] {
        hides(&format!("got {issued} back"), &format!("got [redacted:{kind}] back"));
    }
}

#[test]
fn sentences_about_secrets_are_left_alone() {
    for text in [
        "the password is incorrect, the token is expired",
        "token was issued 5m ago and expires at 2026-05-01T09:31:00Z",
        "token 2026-05-01T09:31:00Z is too old",
        "Basic authentication failed, basic AuthenticationFilter2 rejected it",
        "authorization: invalid token format",
        "authorization: user 88121 is not allowed",
        "authorization failed for order 12345678",
        "FATAL: password authentication failed for user \"app1234\"",
        "using token bucket with 1000 permits, 500000 refills",
        "api key quota exceeded 1000000",
        "secret my-api-tls-2026 not found, couldn't find key password in Secret payments/db-credentials-v2",
        r#"secrets "db-credentials-v2" is forbidden: User "system:serviceaccount:payments:my-api" cannot get it"#,
        "MountVolume.SetUp failed for volume \"kube-api-access-x2x4z\" : failed to fetch token",
        "unexpected token } in JSON at position 4096, invalid token at position 120",
        "kubectl -n payments logs my-api-7d9f8c6b5-x2x4z -p",
        "docker run -p 8080:8080 mysql; mysql --protocol=tcp -P3306",
        "access denied on the resource identified by 'arn:aws:s3:::bucket2'",
        "hf_transfer enabled, task sk-web, SG.example is a group, sk_test mode",
        "ssh://git@github.com/org/x https://my-api-v2@v2.example.com/",
        "GET /oauth/token?x=50%25 200 41ms, tokens used 92%",
        "user login -p off",
        "https%3A%2F%2Fhost%3A8080%2Fa%40b",
    ] {
        assert_eq!(redact(text), Redacted { text: text.to_owned(), count: 0 });
    }
}

proptest! {
    #[test]
    fn no_wrapping_shows_a_secret(
        secret in "[a-z]{2}[0-9]{2}[a-z]{3}[0-9]{3}[A-Z]{3}",
        wrapping in prop::sample::select(vec![
            "authorization: invalid token @ x", "Authorization: Bearer @", "> proxy-authorization: Basic @", "token is @.",
            "[\"Authorization\",\"Bearer @\"]", "{\\\"token\\\":\\\"@\\\"}", "%22token%22%3A%22@%22", "ab://b:@@c/d",
            "ab%3A%2F%2Fb%3A@%40c", "ab://@@c/d", "password=\"a @\"", ";pwd=a @;x=1", "bad API key @, again", "Cookie: a=b; c=@",
            "('cookie', 'a=@')", "--api-key @", "AWS_SECRET_ACCESS_KEY=@", "X-Auth-Key: @", "?x=1&X-Amz-Security-Token=@",
        ]),
        before in "[a-z ]{0,8}",
        colour in prop::sample::select(vec!["", "\x1b[36m", "\\n"]),
    ) {
        let text = format!("{before} {colour}{}", wrapping.replacen('@', &secret, 1));
        prop_assert!(!redact(&text).text.contains(&secret), "{text} -> {}", redact(&text).text);
    }

    #[test]
    fn ordinary_words_are_left_alone(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "token", "password", "invalid", "api key", "authorization", "basic", "the", "for", "user",
                "my-api", "my-api-tls-2026", "payments/orders", "512Mi", "92.4%", "OOMKilled", "exit 137", "09:31:00",
                "2026-05-01T09:31:00Z", "10.0.3.4", "revision 12", "node-0", "secret", "rejected", "expired", "v1.24.3",
            ]),
            0..10,
        ),
    ) {
        let text = words.join(" ");
        prop_assert_eq!(redact(&text).text, text);
    }

    #[test]
    fn hiding_twice_changes_nothing(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "password=", "token:", "secret", "AKIAIOSFODNN7EXAMPLE", "Bearer ", "\"", " ", "://", "a:b@", "eyJabcdefgh.abcdefg",
                "--token ", "Cookie: ", "abc123def456", "[redacted:x]", "authorization: ", ",", "}", "ghp_", "\\", "'",
                "\"pass\":\"", "\n", "--secret-key\",\"", "hooks.slack.com\\/services/", "SECRET_KEY=", "[",
                "\\x1b[36m", "\\n", "cookies=a=b; c", "name:X_TOKEN value=", "<token>ab12cd</", "curl -u a:b", "https://h:80/", "@",
                "authorization: invalid token ", "token is ", "%3A", "%22", "%3D", "%40", "Basic dXNlcjpwYXNz", "\\\\\"", "mysql -p",
                "\", b'", ";pwd=a b;", "Digest a=\"b\"", "9f8e7d6c5b4a", "JSESSIONID=", "-----END PRIVATE KEY-----",
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
