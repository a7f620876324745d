//! Where the clients lead, in whose name, and how long they are waited for.

use super::*;

#[test]
fn a_rehearsal_keeps_to_loopback() {
    crate::adapters::install_tls_provider();
    let region = Region::new("us-east-1");
    for endpoint in ["http://127.0.0.1:9", "http://127.8.0.1:9/", "http://[::1]:9"] {
        assert!(Clients::rehearsal(endpoint, &region).is_ok(), "{endpoint}");
    }
    for endpoint in [
        "https://monitoring.us-east-1.amazonaws.com",
        "http://127.0.0.1@example.com:9",
        "http://localhost:9",
        "http://0.0.0.0:9",
        "http://127.0.0.1.example.com",
    ] {
        let error = Clients::rehearsal(endpoint, &region).unwrap_err();
        assert_eq!(error, ClientsError::KeepToLoopback { endpoint: endpoint.to_owned() });
        assert_eq!(error.fault().kind, FaultKind::Usage);
    }
    for endpoint in ["127.0.0.1:9", "ftp://127.0.0.1", ""] {
        assert!(matches!(Clients::rehearsal(endpoint, &region), Err(ClientsError::ReadEndpoint { .. })), "{endpoint}");
    }
}

#[tokio::test]
async fn a_call_without_credentials_says_how_to_get_some() {
    crate::adapters::install_tls_provider();
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::new("us-east-1"))
        .endpoint_url("http://127.0.0.1:9")
        .retry_config(RetryConfig::disabled())
        .build();
    let region = Region::new("us-east-1");
    let clients = Clients::of(&config, &ClientOptions::default(), region, Budget::unlimited());
    let error = clients.identity().await.unwrap_err();
    assert!(matches!(&error, ClientsError::AskIdentity(CallError::NoCredentials(_))), "{error:?}");
    assert!(error.fault().hints[0].contains("aws sso login"));
    assert_eq!(error.fault().kind, FaultKind::Credentials);
}

#[tokio::test]
async fn a_provider_that_waits_for_a_person_is_not_waited_for() {
    let touch = std::future::pending::<Result<Credentials, &str>>();
    let error = made_within(Duration::from_millis(5), touch).await.unwrap_err();
    assert!(matches!(&error, CallError::TimedOut(_)), "{error:?}");
    assert_eq!(ClientsError::LoadCredentials(error).fault().kind, FaultKind::Timeout);
}

#[test]
fn the_model_is_asked_in_its_own_region_with_its_own_patience() {
    crate::adapters::install_tls_provider();
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::new("eu-south-1"))
        .timeout_config(timeouts(CallTimeouts::default()))
        .build();
    let made = |model: ModelOptions| {
        let options = ClientOptions { model, ..ClientOptions::default() };
        Clients::of(&config, &options, Region::new("eu-south-1"), Budget::unlimited())
    };
    let reached = |clients: &Clients| {
        let bedrock = clients.bedrock.config();
        let connect = bedrock.timeout_config().and_then(TimeoutConfig::connect_timeout);
        (bedrock.region().map(ToString::to_string), clients.model_region().to_string(), connect)
    };
    let usual = made(ModelOptions::default());
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(
        reached(&usual),
        (Some("eu-south-1".to_owned()), "eu-south-1".to_owned(), Some(CallTimeouts::default().connect))
    );
    let elsewhere = made(ModelOptions { region: Some(Region::new("eu-central-1")), connect: seconds(7) });
    assert_eq!(reached(&elsewhere), (Some("eu-central-1".to_owned()), "eu-central-1".to_owned(), seconds(7)));
    assert_eq!(elsewhere.region().as_str(), "eu-south-1");
    assert_eq!(elsewhere.logs.config().region().map(ToString::to_string).as_deref(), Some("eu-south-1"));
}
