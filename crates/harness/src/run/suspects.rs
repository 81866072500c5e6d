//! Suspects: cases that were in flight when the target went away.

use std::sync::Arc;

use kconform_report::{Finding, Verdict};

use super::{Context, lock};
use crate::evidence;
use crate::execute;
use crate::liveness::Fate;
use crate::plan::{self, Decision};

/// Cases whose verdict means nothing because the target was lost meanwhile: each runs again, alone, if that is allowed.
pub(super) fn convict(context: &Arc<Context>) {
    let deferred = std::mem::take(&mut *lock(&context.deferred));
    if deferred.is_empty() {
        return;
    }
    let suspects = deferred.len();
    let allowed =
        context.options.convict && !context.liveness.gone() && !*context.env.interrupted.borrow();
    context.liveness.acquit();
    for case in deferred {
        let mut record = evidence::blank(&context.suite, &case, &context.options.again);
        if !allowed || context.liveness.gone() {
            let remedy = if context.options.convict {
                ""
            } else {
                "; --allow-disruptive lets each run again alone"
            };
            record.verdict = Verdict::Blocked;
            record.reason = Some(format!(
                "the target went away while this case was in flight, one of {suspects} suspects{remedy}"
            ));
            context.sink.push(record);
            continue;
        }
        if let Decision::Unsupported(reason) = plan::decide(&context.env.facts, &case) {
            let _ = context.refused(case, record, reason);
            continue;
        }
        context.sink.tell(&format!("running suspect {} alone", case.name));
        let Ok(flight) = context.liveness.enter() else { continue };
        let ran = execute::run(&context.env, &case);
        context.look_again(&ran);
        let trouble = ran.outcome.is_err() || !context.sentinel.holds();
        if context.liveness.leave(&context.env, &context.sentinel, &context.sink, flight, trouble)
            == Fate::Suspect
        {
            evidence::fill(&mut record, &ran, true);
            record.verdict = Verdict::Failed;
            record.reason = None;
            record.finding = Some(Finding {
                expected: "the target to survive this case".to_owned(),
                got: "it went away, with nothing else in flight".to_owned(),
                ..Finding::default()
            });
            context.litter.add(ran.undo);
            context.sink.push(record);
            continue;
        }
        record
            .notes
            .push("ran again alone, because the target was lost while it was in flight".to_owned());
        let _ = context.settle(record, ran);
    }
    // Lost once more while a refusal was asked for: that much is known, and no more.
    for case in std::mem::take(&mut *lock(&context.deferred)) {
        let mut record = evidence::blank(&context.suite, &case, &context.options.again);
        record.verdict = Verdict::Blocked;
        record.reason = Some("the target went away again while this case was in flight".to_owned());
        context.sink.push(record);
    }
}
