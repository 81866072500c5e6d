//! Client ids: null, empty, long, and with characters that have a meaning elsewhere.

use kconform_scenario::prelude::*;

use super::by_hand::{about_no_topic, expect_no_topic};

scenarios![a_null_client_id_is_accepted, any_client_id_is_accepted];

/// client_id null is accepted and acts as the empty string; the request succeeds.
#[scenario("WIRE-008", api = Metadata)]
async fn a_null_client_id_is_accepted(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    conn.client_id(None);
    expect_no_topic(&conn.ask(about_no_topic(cx.version())).await?)
}

/// client_id of length 0 is accepted; so are 1000 and 32767 bytes, non-ASCII UTF-8, and characters
/// such as space, colon, comma, quote and backslash.
#[scenario("WIRE-009", api = Metadata,
    vary = ["empty", "1000-bytes", "32767-bytes", "not-ascii", "punctuation"])]
async fn any_client_id_is_accepted(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    conn.client_id(Some(&match cx.variant() {
        "empty" => String::new(),
        "1000-bytes" => "k".repeat(1000),
        "32767-bytes" => "k".repeat(32_767),
        "not-ascii" => "прибор-日本-é-𝄞".to_owned(),
        _ => r#"a b:c,d"e'f\g=h*i?j/k%l"#.to_owned(),
    }));
    expect_no_topic(&conn.ask(about_no_topic(cx.version())).await?)?;
    expect_no_topic(&conn.ask(about_no_topic(cx.version())).await?)
}
