//! The repository of charts on the wire; real helm reads it in `peers_kubernetes`.

use super::{play_with, raw};

const OWNED: &str = "[[workload]]\nnamespace = \"payments\"\nname = \"cart\"\nreplicas = 1\n\
    ownership = { by = \"helm\", release = \"cart\" }\n\
    [[workload.container]]\nname = \"app\"\nimage = \"registry.example.com/cart:1.0\"\nmemory_limit = \"64Mi\"\n\
    [[workload.revision]]\nnumber = 1\nat = \"2026-04-01T10:00:00Z\"\n";

#[tokio::test]
async fn the_index_names_what_can_be_pulled() {
    let rehearsal = play_with(OWNED).await;
    let url = rehearsal.endpoints.charts.clone();
    let get = async |path: &str| raw::exchange(&format!("{url}{path}"), "GET", &[], b"").await;
    let index = get("/index.yaml").await;
    assert!(index.status == 200 && index.text().contains("cart-1.0.0.tgz"), "{}", index.text());
    let chart = get("/cart-1.0.0.tgz").await;
    assert_eq!((chart.status, &chart.body[..2]), (200, &[0x1f, 0x8b][..]));
    assert_eq!(get("/nowhere-1.0.0.tgz").await.status, 404);
    assert_eq!(rehearsal.ledger.summary().by_kind["charts:pull"], 2);
    rehearsal.stop().await;
}

#[tokio::test]
async fn a_repository_fails_like_any_web_server() {
    for (effect, status) in [
        ("{ kind = \"unavailable\" }", 503),
        ("{ kind = \"denied\" }", 403),
        ("{ kind = \"throttled\" }", 429),
        ("{ kind = \"reset\" }", 0),
        ("{ kind = \"unresolved\" }", 0),
    ] {
        let rehearsal = play_with(&format!("[[fault]]\nservice = \"charts\"\neffect = {effect}\n")).await;
        let url = format!("{}/index.yaml", rehearsal.endpoints.charts);
        assert_eq!(raw::exchange(&url, "GET", &[], b"").await.status, status, "{effect}");
        assert!(rehearsal.ledger.entries()[0].fault.is_some(), "{effect}");
        rehearsal.stop().await;
    }
}
