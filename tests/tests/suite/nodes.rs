//! Cases that kill brokers: what they need, what is recorded of it, and what is left behind.

use std::sync::{Arc, Mutex};

use kconform_harness::{Hook, Target, probe, run, wanted};
use kconform_report::{Record, Replay, Verdict};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::Dial;
use kconform_scenario::{Acting, NodeAct, Nodes};
use kconform_tests::ScriptedBroker;

use super::{Told, options, suite};

/// A hook that keeps what was asked of it and does nothing, or fails.
#[derive(Debug, Default)]
struct Puppet {
    asked: Mutex<Vec<NodeAct>>,
    unwilling: bool,
}

impl Nodes for Puppet {
    fn act(&self, act: NodeAct, _: i32) -> Acting<'_> {
        self.asked.lock().unwrap().push(act);
        let done = if self.unwilling { Err("the crane is broken".to_owned()) } else { Ok(()) };
        Box::pin(async move { done })
    }
}

/// The broker is killed and comes back.
#[scenario("TEST-501", api = ApiVersions, versions = 0, needs = [Restart], exclusive)]
async fn the_broker_comes_back(cx: &mut Cx) -> Outcome {
    let id = cx.facts().brokers.first().map_or(-1, |broker| broker.id);
    cx.kill_broker(id).await?;
    cx.start_broker(id).await?;
    let mut conn = cx.connect().await?;
    conn.ask_bytes(keys::ApiVersions, 0, &[][..]).await.expect_error(Code::NONE)
}

/// The broker is stopped and nobody starts it.
#[scenario("TEST-502", api = ApiVersions, versions = 0, needs = [Restart], exclusive)]
async fn the_broker_is_left_down(cx: &mut Cx) -> Outcome {
    let id = cx.facts().brokers.first().map_or(-1, |broker| broker.id);
    cx.stop_broker(id).await?;
    Err(Failure::failed("a broker", "none"))
}

fn record(
    hook: Option<Hook>,
    disruptive: bool,
    scenario: &'static kconform_scenario::Scenario,
) -> Record {
    let broker = ScriptedBroker::honest();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut target = Target::at(vec![Dial::plain("127.0.0.1", broker.port())]);
    target.nodes = hook;
    target.disruptive = disruptive;
    let probed = runtime.block_on(probe(&target)).unwrap();
    let suite = suite(&[scenario]);
    let options = options();
    let cases = wanted(&suite, &probed, &options.filter);
    let (_sender, interrupted) = tokio::sync::watch::channel(false);
    let told = Arc::new(Told::default());
    let done = run(&suite, &probed, cases, options, runtime.handle(), told, interrupted);
    assert!(!done.lost);
    assert_eq!(done.records.len(), 1);
    done.records.into_iter().next().unwrap()
}

#[test]
fn an_act_on_a_node_is_played_back_without_one() {
    let puppet = Arc::new(Puppet::default());
    let record = record(Some(puppet.clone()), true, &the_broker_comes_back);
    assert_eq!(record.verdict, Verdict::Passed, "{record:#?}");
    assert_eq!(record.replay, Replay::Same);
    // Once each: the replay asked nobody.
    assert_eq!(*puppet.asked.lock().unwrap(), [NodeAct::Kill, NodeAct::Start]);
}

#[test]
fn a_hook_that_fails_blocks_the_case() {
    let puppet = Arc::new(Puppet { unwilling: true, ..Puppet::default() });
    let record = record(Some(puppet), true, &the_broker_comes_back);
    assert_eq!(record.verdict, Verdict::Blocked, "{record:#?}");
    assert!(record.reason.unwrap().contains("the crane is broken"));
    assert_eq!(record.replay, Replay::Same);
}

#[test]
fn without_a_hook_or_leave_the_need_is_not_met() {
    for (hook, disruptive) in [(None, true), (Some(Arc::new(Puppet::default())), false)] {
        let hook = hook.map(|puppet| puppet as Hook);
        let record = record(hook, disruptive, &the_broker_comes_back);
        assert_eq!(record.verdict, Verdict::NotRun);
        let reason = record.reason.unwrap();
        assert!(reason.contains("[hooks]") && reason.contains("--allow-disruptive"), "{reason}");
    }
}

#[test]
fn what_a_case_took_down_is_started_after_it() {
    let puppet = Arc::new(Puppet::default());
    let record = record(Some(puppet.clone()), true, &the_broker_is_left_down);
    assert_eq!(record.verdict, Verdict::Failed, "{record:#?}");
    assert_eq!(*puppet.asked.lock().unwrap(), [NodeAct::Stop, NodeAct::Start]);
}
