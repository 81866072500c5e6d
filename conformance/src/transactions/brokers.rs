//! The transaction coordinator on several brokers: who hands out producer ids, who answers for whom, and what a new
//! coordinator knows.

use std::collections::BTreeSet;

use kconform_scenario::TRANSACTION_ON_ITS_WAY;
use kconform_scenario::prelude::*;
use kconform_scenario::requests::init_producer_id;

use super::known_producers::expect_no_identity;
use crate::producer::Producer;

scenarios![no_two_brokers_hand_out_one_producer_id, a_broker_that_is_not_the_coordinator_refuses,];

/// Producer ids are unique in the cluster: every broker hands out ids, without a transactional id,
/// that no other broker hands out, and none comes a second time after a restart.
#[scenario("INITPID-002", api = InitProducerId, needs = [ThreeBrokers])]
async fn no_two_brokers_hand_out_one_producer_id(cx: &mut Cx) -> Outcome {
    let mut ids = BTreeSet::new();
    let brokers: Vec<i32> = cx.facts().brokers.iter().map(|broker| broker.id).collect();
    for broker in brokers {
        let mut conn = cx.connect_broker(broker).await?;
        for _ in 0..3 {
            let request = init_producer_id(None);
            let reply = cx.settle(&mut conn, &request, TRANSACTION_ON_ITS_WAY).await?;
            let body = reply.expect_ok()?;
            let fresh = ids.insert(body.producer_id.0);
            body.require(fresh, "a producer id that nobody got", || {
                body.producer_id.0.to_string()
            })?;
        }
    }
    Ok(())
}

/// InitProducerId with a transactional id, sent to a broker that is not its coordinator, is refused
/// with NOT_COORDINATOR (16), producer id -1 and epoch -1; without a transactional id every broker
/// answers.
#[scenario("INITPID-015", api = InitProducerId, needs = [ThreeBrokers])]
async fn a_broker_that_is_not_the_coordinator_refuses(cx: &mut Cx) -> Outcome {
    let mut producer = Producer::new(cx).await?;
    let at_home = init_producer_id(Some(&producer.txn_id));
    producer.coordinator.ask(at_home.clone()).await?.ok()?;
    let mut refused = 0;
    let brokers: Vec<i32> = cx.facts().brokers.iter().map(|broker| broker.id).collect();
    for broker in &brokers {
        let mut conn = cx.connect_broker(*broker).await?;
        let reply = conn.ask(at_home.clone()).await?;
        if reply.errors()?.iter().all(|(_, code)| *code == Code::NONE) {
            continue;
        }
        expect_no_identity(reply, NotCoordinator)?;
        refused += 1;
    }
    require(refused + 1 == brokers.len(), "one coordinator", || {
        format!("{refused} of {} brokers refuse", brokers.len())
    })
}
