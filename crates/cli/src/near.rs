//! Names near to one that nobody has.

use conformance::catalogue;
use kconform_harness::{Suite, plan};
use kconform_scenario::wire::schema;

use crate::args::FilterArgs;
use crate::terminal::tell;
use crate::trouble::Trouble;

/// How many names are suggested for one that is wrong.
const SUGGESTED: usize = 3;
/// From this likeness on, by Jaro and Winkler, a name is worth suggesting.
const LIKE: f64 = 0.75;

/// Whether the selection holds any case of any target. Where it does, names that nobody has are still told: they are mistakes that
/// the others hide.
pub(crate) fn check(suite: &Suite, args: &FilterArgs) -> Result<(), Trouble> {
    let filter = args.filter();
    if !plan::wanted(suite, None, &filter).is_empty() {
        wrong_names(suite, args).iter().for_each(|line| tell(line.trim_start()));
        return Ok(());
    }
    Err(Trouble::Nothing(nothing_selected(suite, args)))
}

/// What to tell somebody whose selection holds no case: which of its names nobody has and what they may have meant, or that the
/// names are right and hold nothing together.
pub(crate) fn nothing_selected(suite: &Suite, args: &FilterArgs) -> String {
    let mut lines = vec!["no case is selected".to_owned()];
    lines.extend(wrong_names(suite, args));
    if lines.len() == 1 {
        lines.push(
            "  no scenario checks what is left when all flags have narrowed the suite".to_owned(),
        );
        let open: Vec<&str> = args
            .id
            .iter()
            .filter_map(|id| catalogue::requirement(&id.to_ascii_uppercase()))
            .map(|row| row.id.as_str())
            .collect();
        if !open.is_empty() {
            lines.push(format!("  {} may be open: no scenario checks it yet", open.join(", ")));
        }
    }
    lines.push("`kconform list` shows every family, requirement and case".to_owned());
    lines.join("\n")
}

/// The names that nobody has, a line each, with near ones.
fn wrong_names(suite: &Suite, args: &FilterArgs) -> Vec<String> {
    let mut cases = plan::cases(suite, None);
    cases.extend(args.exact.iter().filter_map(|name| plan::by_seed(suite, name)));
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    let apis: Vec<&str> = schema::apis().map(schema::Api::name).collect();
    let families: Vec<&str> = catalogue::families().iter().map(|row| row.name.as_str()).collect();
    let ids: Vec<&str> = catalogue::requirements().iter().map(|row| row.id.as_str()).collect();
    let mut words: Vec<&str> = names.iter().flat_map(|name| name.split("::")).collect();
    words.extend(&apis);
    words.extend(&families);

    let mut lines = Vec::new();
    let mut look =
        |flag: &str, given: &[String], known: &[&str], holds: &dyn Fn(&str, &str) -> bool| {
            for name in given.iter().filter(|name| !known.iter().any(|known| holds(known, name))) {
                let near =
                    if flag == "--id " { near_ids(name, known) } else { nearest(name, known) };
                lines.push(format!("  {flag}`{name}` matches nothing{}", meant(&near)));
            }
        };
    let same = |known: &str, name: &str| known.eq_ignore_ascii_case(name);
    let api = |known: &str, name: &str| {
        same(known, name) || name.parse().ok().and_then(schema::api).is_some()
    };
    look("--api ", &args.api, &apis, &api);
    look("--family ", &args.family, &families, &same);
    look("--id ", &args.id, &ids, &same);
    look("--exact ", &args.exact, &names, &|known, name| known == name);
    for part in args.parts.iter().filter(|part| !names.iter().any(|name| name.contains(*part))) {
        lines.push(format!("  `{part}` occurs in no case{}", suggestion(part, &words)));
    }
    lines
}

/// `; did you mean …?`, or nothing.
pub(crate) fn suggestion(name: &str, known: &[&str]) -> String {
    meant(&nearest(name, known))
}

fn meant(near: &[&str]) -> String {
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) }
}

/// The ids that are most like this one: those with the nearest numbers behind the same prefix, or behind the prefixes that take
/// the fewest letters to change. What is no id at all is compared as any name.
fn near_ids<'a>(name: &str, known: &[&'a str]) -> Vec<&'a str> {
    let split = |id: &str| {
        let upper = id.to_ascii_uppercase();
        let (prefix, number) = upper.rsplit_once('-').unwrap_or((&upper, ""));
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        (prefix.to_owned(), digits.parse::<i64>().unwrap_or(0))
    };
    let (prefix, number) = split(name);
    let mut scored: Vec<_> = known
        .iter()
        .map(|known| {
            let (other, at) = split(known);
            (strsim::damerau_levenshtein(&prefix, &other), (number - at).abs(), *known)
        })
        // A prefix with half of its letters changed is another.
        .filter(|(letters, _, _)| *letters * 2 < prefix.len().max(2))
        .collect();
    scored.sort_unstable();
    if scored.is_empty() {
        return nearest(name, known);
    }
    scored.into_iter().take(SUGGESTED).map(|(_, _, known)| known).collect()
}

/// The names that are most like this one, the likest first.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Vec<&'a str> {
    let name = name.to_ascii_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .iter()
        .map(|known| {
            let lower = known.to_ascii_lowercase();
            // What contains the name, or is contained in it, is near whatever the lengths.
            let within = name.len() >= 3
                && lower.len() >= 3
                && (lower.contains(&name) || name.contains(&lower));
            let bonus = if within { 0.2 } else { 0.0 };
            (strsim::jaro_winkler(&name, &lower) + bonus, *known)
        })
        .filter(|(score, _)| *score >= LIKE)
        .collect();
    scored.sort_by(|(one, first), (other, second)| other.total_cmp(one).then(first.cmp(second)));
    // An API and a module of its name are one suggestion.
    let mut seen = std::collections::BTreeSet::new();
    scored.retain(|(_, known)| seen.insert(known.to_ascii_lowercase()));
    scored.into_iter().take(SUGGESTED).map(|(_, known)| known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::suite;

    #[test]
    fn a_misspelt_name_is_answered_with_near_ones() {
        let known = ["Produce", "Fetch", "InitProducerId", "OffsetFetch"];
        assert_eq!(nearest("fetsch", &known)[0], "Fetch");
        assert_eq!(nearest("initproducer", &known)[0], "InitProducerId");
        assert_eq!(nearest("zzzz", &known), Vec::<&str>::new());
    }

    #[test]
    fn a_wrong_id_is_answered_with_its_neighbours() {
        let known =
            ["FETCH-001", "FETCH-030", "FETCH-032", "FETCH-090", "META-031", "OFFFETCH-031"];
        assert_eq!(near_ids("FETCH-031", &known)[..2], ["FETCH-030", "FETCH-032"]);
        assert_eq!(near_ids("fetch-999", &known)[0], "FETCH-090");
        assert_eq!(near_ids("FECTH-31", &known)[..2], ["FETCH-030", "FETCH-032"]);
        assert_eq!(near_ids("METADATA-31", &known)[0], "META-031");
        assert_eq!(near_ids("fetch", &known)[0], "FETCH-001");
        assert_eq!(near_ids("zzzz", &known), Vec::<&str>::new());
    }

    #[test]
    fn every_wrong_name_is_named_with_its_flag() {
        let text = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        let args = FilterArgs {
            parts: text(&["stale_epok"]),
            api: text(&["InitProducrId", "22"]),
            family: text(&["transaction"]),
            id: text(&["INITPID-999"]),
            exact: text(&["nothing::like::it"]),
            ..FilterArgs::default()
        };
        let told = nothing_selected(&suite(), &args);
        for part in [
            "--api `InitProducrId` matches nothing; did you mean InitProducerId",
            "--family `transaction` matches nothing; did you mean transactions",
            "--id `INITPID-999` matches nothing; did you mean INITPID-0",
            "--exact `nothing::like::it` matches nothing",
            "`stale_epok` occurs in no case",
        ] {
            assert!(told.contains(part), "{part} in\n{told}");
        }
        assert!(!told.contains("`22`"), "{told}");
    }
}
