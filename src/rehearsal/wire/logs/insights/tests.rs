//! Queries that are refused, with the place of what is wrong.

use super::language::parse;

#[test]
fn what_the_language_does_not_know_is_refused_with_its_place() {
    for (query, from) in [
        ("", 0),
        ("stats", 5),
        ("fields @message | filter", 24),
        ("filter @message like", 20),
        ("filter @message like /open", 21),
        ("filter @message like /(/", 21),
        ("filter level = \"open", 15),
        ("stats median(x) by bin(1m)", 13),
        ("stats count(*) by bin(soon)", 22),
        ("stats count(*) by bin(1m) limit 5", 26),
        ("fields @message | explode x", 18),
        ("fields nonsense(@message)", 16),
        ("limit 0", 7),
        ("parse @message \"a * b * c\" as one", 33),
        ("filter level in [\"a\"", 20),
    ] {
        let malformed = parse(query, 10).map(|_| ()).unwrap_err();
        assert_eq!(malformed.from, from, "{query}: {malformed:?}");
    }
}

#[test]
fn what_people_write_is_read() {
    for query in [
        "fields @timestamp, @message | sort @timestamp desc | limit 20",
        "# how many\nfilter @message like /(?i)oom/ and not level in ['INFO', \"DEBUG\"] or status >= 500 | stats count(*) as n by bin(1m)",
        "filter ispresent(`my-field`) | stats count_distinct(@logStream), pct(took, 99.9) by level, bin(5m) | sort level asc",
        "parse @message \"user=*, method:*\" as user, method | display user, method | dedup user",
        "parse @message /took (?<ms>\\d+) ms/ | stats avg(ms)",
        "parse @message /(?<w>ERR\\w+)/",
        "fields strlen(@message) as length, tolower(level) | filter length * 2 > 10",
    ] {
        let read = parse(query, 10);
        assert!(read.is_ok(), "{query}: {:?}", read.err());
    }
}

/// Each of these overflowed the stack, which no caller can catch.
#[test]
fn what_is_nested_too_deeply_is_refused() {
    for query in [
        format!("filter {}1{}", "(".repeat(4_000), ")".repeat(4_000)),
        format!("filter {}x", "not ".repeat(2_000)),
        format!("filter {}1", "-".repeat(9_000)),
        format!("fields {}x", "abs(".repeat(2_000)),
        format!("fields 1{}", "+1".repeat(4_900)),
    ] {
        let malformed = parse(&query, 10).map(|_| ()).unwrap_err();
        assert!(malformed.message.contains("nested too deeply") || malformed.message.contains("too many parts"));
    }
}
