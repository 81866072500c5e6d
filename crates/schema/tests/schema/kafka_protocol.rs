//! A second, independent reading of the protocol: what the kafka-protocol crate reads from our bytes it writes back as the same
//! bytes, in every version that its types know.

use ::kafka_protocol::messages::*;
use ::kafka_protocol::protocol::{Decodable, Encodable, Message, Request, StrBytes};
use bytes::{Bytes, BytesMut};
use kconform_schema::{Direction, api, decode, encode, walk};
use proptest::prelude::*;

use crate::random;

/// One message type of the crate.
struct Typed {
    key: i16,
    direction: Direction,
    first: i16,
    last: i16,
    rewrite: fn(Bytes, i16) -> Result<Vec<u8>, String>,
    default: fn(i16) -> Option<Vec<u8>>,
}

fn typed<M: Message + Encodable + Decodable + Default>(key: i16, direction: Direction) -> Typed {
    Typed {
        key,
        direction,
        first: M::VERSIONS.min,
        last: M::VERSIONS.max,
        rewrite: |mut bytes, version| {
            let message = M::decode(&mut bytes, version)
                .map_err(|error| format!("does not read it: {error}"))?;
            if !bytes.is_empty() {
                return Err(format!("leaves {} bytes", bytes.len()));
            }
            let mut again = BytesMut::new();
            message
                .encode(&mut again, version)
                .map_err(|error| format!("does not write it: {error}"))?;
            Ok(again.to_vec())
        },
        default: |version| {
            let mut bytes = BytesMut::new();
            M::default().encode(&mut bytes, version).is_ok().then(|| bytes.to_vec())
        },
    }
}

fn pair<R: Request + Default>() -> [Typed; 2]
where
    R::Response: Default,
{
    [typed::<R>(R::KEY, Direction::Request), typed::<R::Response>(R::KEY, Direction::Response)]
}

macro_rules! pairs {
    ($($request:ty)*) => { [$(pair::<$request>()),*] };
}

fn every_type() -> Vec<Typed> {
    let pairs = pairs! {
        ProduceRequest FetchRequest ListOffsetsRequest MetadataRequest OffsetCommitRequest OffsetFetchRequest
        FindCoordinatorRequest JoinGroupRequest HeartbeatRequest LeaveGroupRequest SyncGroupRequest DescribeGroupsRequest
        ListGroupsRequest SaslHandshakeRequest ApiVersionsRequest CreateTopicsRequest DeleteTopicsRequest
        DeleteRecordsRequest InitProducerIdRequest OffsetForLeaderEpochRequest AddPartitionsToTxnRequest
        AddOffsetsToTxnRequest EndTxnRequest WriteTxnMarkersRequest TxnOffsetCommitRequest DescribeAclsRequest
        CreateAclsRequest DeleteAclsRequest DescribeConfigsRequest AlterConfigsRequest AlterReplicaLogDirsRequest
        DescribeLogDirsRequest SaslAuthenticateRequest CreatePartitionsRequest CreateDelegationTokenRequest
        RenewDelegationTokenRequest ExpireDelegationTokenRequest DescribeDelegationTokenRequest DeleteGroupsRequest
        ElectLeadersRequest IncrementalAlterConfigsRequest AlterPartitionReassignmentsRequest
        ListPartitionReassignmentsRequest OffsetDeleteRequest DescribeClientQuotasRequest AlterClientQuotasRequest
        DescribeUserScramCredentialsRequest AlterUserScramCredentialsRequest VoteRequest BeginQuorumEpochRequest
        EndQuorumEpochRequest DescribeQuorumRequest AlterPartitionRequest UpdateFeaturesRequest EnvelopeRequest
        FetchSnapshotRequest DescribeClusterRequest DescribeProducersRequest BrokerRegistrationRequest
        BrokerHeartbeatRequest UnregisterBrokerRequest DescribeTransactionsRequest ListTransactionsRequest
        AllocateProducerIdsRequest ConsumerGroupHeartbeatRequest ConsumerGroupDescribeRequest
        ControllerRegistrationRequest GetTelemetrySubscriptionsRequest PushTelemetryRequest AssignReplicasToDirsRequest
        ListConfigResourcesRequest DescribeTopicPartitionsRequest ShareGroupHeartbeatRequest ShareGroupDescribeRequest
        ShareFetchRequest ShareAcknowledgeRequest AddRaftVoterRequest RemoveRaftVoterRequest UpdateRaftVoterRequest
        InitializeShareGroupStateRequest ReadShareGroupStateRequest WriteShareGroupStateRequest
        DeleteShareGroupStateRequest ReadShareGroupStateSummaryRequest DescribeShareGroupOffsetsRequest
        AlterShareGroupOffsetsRequest DeleteShareGroupOffsetsRequest
    };
    pairs.into_iter().flatten().collect()
}

#[test]
fn what_it_reads_from_our_bytes_it_writes_back() {
    let mut count = 0;
    for typed in every_type() {
        let api = api(typed.key).unwrap();
        let versions = (typed.first..=typed.last).map(|version| (api, typed.direction, version));
        count +=
            random::check_all(12, versions, random::message, |_, direction, version, value| {
                let bytes = encode(typed.key, version, direction, &value).unwrap();
                let again = (typed.rewrite)(Bytes::from(bytes.clone()), version);
                prop_assert_eq!(again, Ok(bytes));
                Ok(())
            });
    }
    assert!(count > 500, "only {count} messages");
}

#[test]
fn what_it_writes_at_its_defaults_passes_the_walker() {
    let mut count = 0;
    for typed in every_type() {
        for version in typed.first..=typed.last {
            let Some(bytes) = (typed.default)(version) else { continue };
            let walked = walk(typed.key, version, typed.direction, &bytes);
            assert_eq!(walked, Ok(()), "key {} version {version} {:?}", typed.key, typed.direction);
            count += 1;
        }
    }
    assert!(count > 500, "only {count} messages");
}

#[test]
fn its_fields_are_our_fields() {
    let partition = metadata_response::MetadataResponsePartition::default()
        .with_error_code(5)
        .with_partition_index(3)
        .with_leader_id(BrokerId(7))
        .with_leader_epoch(11)
        .with_replica_nodes(vec![BrokerId(1), BrokerId(2)])
        .with_isr_nodes(vec![BrokerId(2)]);
    let topic = metadata_response::MetadataResponseTopic::default()
        .with_name(Some(TopicName(StrBytes::from_static_str("orders"))))
        .with_is_internal(true)
        .with_partitions(vec![partition]);
    let typed =
        MetadataResponse::default().with_controller_id(BrokerId(4)).with_topics(vec![topic]);
    for version in 2..=12 {
        let mut bytes = BytesMut::new();
        let mut typed = typed.clone();
        if version < 7 {
            typed.topics[0].partitions[0].leader_epoch = -1;
        }
        typed.encode(&mut bytes, version).unwrap();
        let value = decode(3, version, Direction::Response, &bytes.freeze()).unwrap();
        for (path, text) in [
            ("controller_id", "4"),
            ("cluster_id", "null"),
            ("topics[0].name", "\"orders\""),
            ("topics[0].is_internal", "true"),
            ("topics[0].partitions[0].error_code", "5"),
            ("topics[0].partitions[0].partition_index", "3"),
            ("topics[0].partitions[0].leader_id", "7"),
            ("topics[0].partitions[0].replica_nodes", "[1, 2]"),
            ("topics[0].partitions[0].isr_nodes", "[2]"),
        ] {
            assert_eq!(value.at(path).unwrap().to_string(), text, "version {version} {path}");
        }
        let epoch = value.at("topics[0].partitions[0].leader_epoch").map(ToString::to_string);
        assert_eq!(epoch.ok(), (version >= 7).then(|| "11".to_owned()), "version {version}");
    }
}
