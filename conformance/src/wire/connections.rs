//! Connections as such: how long they may idle, and how many an address may have.
//!
//! The shape `small-requests` is a broker with `socket.request.max.bytes=65536` and `connections.max.idle.ms=3000`.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use kconform_scenario::prelude::*;

scenarios![an_idle_connection_is_closed, a_connection_beyond_the_limit_of_its_address_is_closed];

/// A connection idle for longer than connections.max.idle.ms is closed by the broker.
#[scenario("WIRE-038", api = ApiVersions, versions = 0, needs = [Shape("small-requests")], slow)]
async fn an_idle_connection_is_closed(cx: &mut Cx) -> Outcome {
    let idle = cx.facts().config_number("connections.max.idle.ms").unwrap_or(3000);
    let idle = Duration::from_millis(u64::try_from(idle).unwrap_or(0));
    let mut conn = cx.connect().await?;
    conn.ask_bytes(keys::ApiVersions, 0, Bytes::new()).await.ok()?;
    cx.sleep(idle / 2).await;
    // Traffic begins the time anew.
    let traffic = cx.now();
    conn.ask_bytes(keys::ApiVersions, 0, Bytes::new()).await.expect_ok()?;
    conn.patience(idle + Duration::from_secs(2));
    conn.expect_close().await?;
    let lasted = cx.now().saturating_sub(traffic);
    require(lasted >= idle, &format!("open for {} ms after traffic", idle.as_millis()), || {
        format!("closed after {} ms", lasted.as_millis())
    })
}

/// The address that the limit is set for.
const LIMITED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// An address without a limit of its own.
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
/// How long a dynamic setting, or the end of a connection, may take to be noticed.
const SOON: Duration = Duration::from_secs(20);

/// With the connection limit of an address reached (max.connections.per.ip or its overrides), an
/// extra connection from it is accepted by TCP and then closed with no bytes sent; closing an old
/// one gives the slot back, and other addresses are not affected.
#[scenario("WIRE-040", api = IncrementalAlterConfigs, needs = [Disruption, Loopback], exclusive)]
async fn a_connection_beyond_the_limit_of_its_address_is_closed(cx: &mut Cx) -> Outcome {
    set_limit(cx, Some(&format!("{LIMITED}:2"))).await?;
    let outcome = beyond_the_limit(cx).await;
    let reset = set_limit(cx, None).await;
    outcome.and(reset)
}

async fn beyond_the_limit(cx: &Cx) -> Outcome {
    // The limit does not hold at once, nor is the place of a closed connection free at once.
    let mut tries = cx.tries("two connections served and the third closed", SOON);
    let held = loop {
        let mut conns = Vec::new();
        let mut served = Vec::new();
        for _ in 0..3 {
            let mut conn = cx.connect_from(LIMITED).await?;
            let reply = conn.ask_bytes(keys::ApiVersions, 0, Bytes::new()).await;
            served.push(reply.expect_closed().is_err());
            conns.push(conn);
        }
        if served == [true, true, false] {
            break conns;
        }
        tries.expect(format!("served: {served:?}")).await?;
    };
    let mut elsewhere = cx.connect_from(OTHER).await?;
    elsewhere.ask_bytes(keys::ApiVersions, 0, Bytes::new()).await.expect_ok()?;

    let mut held = held.into_iter();
    drop(held.next());
    let mut tries = cx.tries("the place of a closed connection", SOON);
    loop {
        let mut conn = cx.connect_from(LIMITED).await?;
        let reply = conn.ask_bytes(keys::ApiVersions, 0, Bytes::new()).await;
        if reply.expect_closed().is_err() {
            return reply.expect_ok().map(|_| ());
        }
        tries.expect("the connection closed").await?;
    }
}

/// Sets the limits of single addresses for all brokers, or goes back to the static setting.
async fn set_limit(cx: &Cx, value: Option<&str>) -> Outcome {
    let request = requests::broker_setting(None, "max.connections.per.ip.overrides", value);
    cx.connect().await?.ask(request).await?.ok().map(drop)
}
