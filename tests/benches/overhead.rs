//! What the harness costs: trivial cases against the in-process broker, each recorded and played back.

#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kafka_protocol::messages::MetadataRequest;
use kconform_harness::{DEADLINE, Options, Row, Suite, Target, Watch, plan, probe, run, wanted};
use kconform_report::{Level, Record, Verdict};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::Dial;
use kconform_tests::ScriptedBroker;

/// One round trip on a connection of its own.
#[scenario("BENCH-001", api = Metadata, versions = 1..=10)]
async fn a_trivial_case(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let request = MetadataRequest::default().with_topics(Some(Vec::new()));
    conn.ask_without(request, &["allow_auto_topic_creation"]).await?.expect_ok()?;
    Ok(())
}

struct Silent;

impl Watch for Silent {
    fn ended(&self, _: &Record) {}
    fn told(&self, _: &str) {}
}

const ROUNDS: u32 = 100;

fn overhead(criterion: &mut Criterion) {
    let broker = ScriptedBroker::honest();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let probed = runtime
        .block_on(probe(&Target::at(vec![Dial::plain("127.0.0.1", broker.port())])))
        .unwrap();
    let suite = Suite {
        scenarios: vec![&a_trivial_case],
        row: |_| Some(Row { level: Level::Must, text: String::new() }),
    };
    let options = Options {
        filter: plan::Filter::default(),
        seed: None,
        repeat: ROUNDS,
        jobs: 4,
        fail_fast: false,
        again: String::new(),
        results: None,
        append: false,
        all_evidence: false,
        keep_events: false,
        run_id: "bench".to_owned(),
        deadline: DEADLINE,
        target_wait: Duration::from_secs(1),
        convict: false,
        mimic: None,
    };
    let cases = wanted(&suite, &probed, &options.filter);
    let total = u64::try_from(cases.len()).unwrap() * u64::from(ROUNDS);
    let mut group = criterion.benchmark_group("harness");
    group.throughput(Throughput::Elements(total)).sample_size(10);
    group.bench_function("trivial cases", |bencher| {
        bencher.iter(|| {
            let (_sender, interrupted) = tokio::sync::watch::channel(false);
            let watch = Arc::new(Silent);
            let done = run(
                &suite,
                &probed,
                cases.clone(),
                options.clone(),
                runtime.handle(),
                watch,
                interrupted,
            );
            assert!(done.records.iter().all(|record| record.verdict == Verdict::Passed));
        });
    });
    group.finish();
}

criterion_group!(benches, overhead);
criterion_main!(benches);
