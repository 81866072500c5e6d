//! The facts in the tables, against what is known of Kafka from elsewhere.

use kconform_schema::tree::{Field, Kind};
use kconform_schema::{Direction, api, api_named, apis};

#[test]
fn every_key_from_0_to_94_is_there() {
    assert_eq!(apis().map(|api| api.key()).collect::<Vec<_>>(), (0..=94).collect::<Vec<_>>());
    assert!(api(95).is_none() && api(-1).is_none() && api(i16::MIN).is_none());
}

#[test]
fn names_are_found_in_any_case_and_by_their_older_form() {
    assert_eq!(api_named("produce").unwrap().name(), "Produce");
    assert_eq!(api_named("ALTERISR").unwrap().name(), "AlterPartition");
    assert_eq!(api_named("ListClientMetricsResources").unwrap().key(), 74);
    assert!(api_named("").is_none() && api_named("ProduceRequest").is_none());
}

#[test]
fn versions_reach_from_the_oldest_to_the_newest_release() {
    for (name, versions) in [
        ("Produce", 0..=13),
        ("Fetch", 0..=18),
        ("ListOffsets", 0..=11),
        ("Metadata", 0..=13),
        ("LeaderAndIsr", 0..=7),
        ("ControlledShutdown", 0..=3),
        ("OffsetCommit", 0..=10),
        ("ApiVersions", 0..=5),
        ("ShareFetch", 0..=2),
        ("StreamsGroupHeartbeat", 0..=1),
    ] {
        let api = api_named(name).unwrap();
        assert_eq!(api.versions(Direction::Request), versions, "{name}");
        assert_eq!(api.versions(Direction::Response), versions, "{name}");
    }
    for api in apis() {
        let versions = api.message(Direction::Request).versions;
        assert_eq!(versions.iter().count(), versions.span().count(), "{} has a gap", api.name());
    }
}

#[test]
fn each_version_knows_its_releases_and_whether_it_is_stable() {
    let releases =
        |name: &str, version| api_named(name).unwrap().releases(version).collect::<Vec<_>>();
    assert_eq!(releases("Produce", 0), ["2.8.2", "3.9.2"]);
    assert_eq!(releases("Produce", 3), ["2.8.2", "3.9.2", "4.4.0"]);
    assert_eq!(releases("Produce", 13), ["4.4.0"]);
    assert_eq!(releases("Produce", 14), [""; 0]);
    assert_eq!(releases("ShareFetch", 0), ["3.9.2"]);
    let unstable: Vec<_> = apis()
        .flat_map(|api| api.versions(Direction::Request).map(move |version| (api, version)))
        .filter(|(api, version)| !api.stable(*version))
        .map(|(api, version)| (api.name(), version))
        .collect();
    let share = ["ShareGroupHeartbeat", "ShareGroupDescribe", "ShareFetch", "ShareAcknowledge"]
        .map(|name| (name, 0));
    assert_eq!(unstable, [&[("InitProducerId", 6)][..], &share].concat());
    assert!(!api_named("Produce").unwrap().stable(14) && !api_named("Produce").unwrap().stable(-1));
}

#[test]
fn a_shape_that_a_release_called_unstable_and_changed_is_not_that_releases() {
    let summary = api_named("ReadShareGroupStateSummary").unwrap();
    assert_eq!(summary.releases(0).collect::<Vec<_>>(), ["4.4.0"]);
    assert!(summary.stable(0));
}

#[test]
fn the_newest_release_has_79_keys_and_285_versions_on_the_broker_listener() {
    let mut keys = 0;
    let mut versions = 0;
    for api in apis().filter(|api| api.on_broker()) {
        let of_newest = |version: &i16| api.releases(*version).any(|release| release == "4.4.0");
        let count = api.versions(Direction::Request).filter(of_newest).count();
        keys += usize::from(count > 0);
        versions += count;
    }
    assert_eq!((keys, versions), (79, 285));
}

#[test]
fn headers_follow_the_flexible_versions_and_the_three_exceptions() {
    let headers = |name: &str, version| {
        let api = api_named(name).unwrap();
        (api.request_header_version(version), api.response_header_version(version))
    };
    assert_eq!(headers("Produce", 8), (1, 0));
    assert_eq!(headers("Produce", 9), (2, 1));
    assert_eq!(headers("ControlledShutdown", 0), (0, 0));
    assert_eq!(headers("ControlledShutdown", 1), (1, 0));
    assert_eq!(headers("ControlledShutdown", 3), (2, 1));
    assert_eq!(headers("ApiVersions", 2), (1, 0));
    assert_eq!(headers("ApiVersions", 3), (2, 0));
    assert_eq!(headers("SaslHandshake", 1), (1, 0));
    assert_eq!(headers("SaslHandshake", 99), (1, 0));
    assert_eq!(headers("ApiVersions", 99), (2, 0));
    assert_eq!(headers("ApiVersions", i16::MAX), (2, 0));
    assert_eq!(headers("ApiVersions", -1), (1, 0));
    assert_eq!(headers("Metadata", 99), (2, 1));
}

#[test]
fn request_and_response_agree_on_versions_and_flexibility() {
    for api in apis() {
        let (request, response) =
            (api.message(Direction::Request), api.message(Direction::Response));
        assert_eq!(
            (request.versions, request.flexible),
            (response.versions, response.flexible),
            "{}",
            api.name()
        );
    }
}

/// What bounds every allocation: no element is smaller than a byte.
#[test]
fn no_element_of_an_array_is_empty() {
    fn check(kind: &Kind, version: i16, flexible: bool, name: &str) {
        match kind {
            Kind::Array(element) => {
                assert!(element.least_size(version, flexible) > 0, "{name} version {version}");
                check(element, version, flexible, name);
            }
            Kind::Struct(fields) => each(fields, version, flexible, name),
            _ => {}
        }
    }
    fn each(fields: &[Field], version: i16, flexible: bool, name: &str) {
        for field in fields.iter().filter(|field| field.versions.contains(version)) {
            check(&field.kind, version, flexible, name);
        }
    }
    for api in apis() {
        for message in [api.message(Direction::Request), api.message(Direction::Response)] {
            for version in message.versions.iter() {
                each(&message.fields, version, message.flexible.contains(version), api.name());
            }
        }
    }
}

#[test]
fn tagged_fields_stand_in_flexible_versions_alone_and_names_are_single() {
    fn check(fields: &[Field], flexible: kconform_schema::Versions, name: &str) {
        for (index, field) in fields.iter().enumerate() {
            assert!(
                field.tag.is_none() || flexible.includes(field.versions),
                "{name}.{}",
                field.name
            );
            assert!(field.versions.includes(field.nullable), "{name}.{}", field.name);
            for other in &fields[..index] {
                let apart = other.versions.common(field.versions).is_empty();
                assert!(apart || other.name != field.name, "{name} has {} twice", field.name);
                assert!(
                    apart || field.tag.is_none() || other.tag != field.tag,
                    "{name}.{}",
                    field.name
                );
            }
            let inner = match &field.kind {
                Kind::Array(element) => element,
                kind => kind,
            };
            if let Kind::Struct(fields) = inner {
                check(fields, flexible, &format!("{name}.{}", field.name));
            }
        }
    }
    for api in apis() {
        for message in [api.message(Direction::Request), api.message(Direction::Response)] {
            check(&message.fields, message.flexible, api.name());
        }
    }
}
