//! Members of classic groups: what they say, and the way to a group that is stable or in the middle
//! of a rebalance.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    DescribeGroupsRequest, GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, SyncGroupRequest,
};
use kconform_scenario::prelude::*;
use kconform_scenario::{Body, COORDINATOR_ON_ITS_WAY, Sent};

/// Protocol type of the members, that of ordinary consumers.
pub(crate) const CONSUMER: &str = "consumer";

/// Protocol (assignor) of the members.
pub(crate) const RANGE: &str = "range";

/// First version of JoinGroup that hands out a member id before it lets a dynamic member in (KIP-394).
pub(crate) const MEMBER_ID_FIRST: i16 = 4;

/// First version of SyncGroup that names protocol type and protocol (KIP-559).
pub(crate) const NAMED_PROTOCOL: i16 = 5;

/// First version of LeaveGroup that names several members, and members by instance id (KIP-345).
pub(crate) const LEAVING_TOGETHER: i16 = 3;

/// Session timeout where no case waits for its end.
const UNHURRIED_MS: i32 = 30_000;

/// How long a coordinator may take to be ready for members.
const SETTLED_WITHIN: Duration = Duration::from_secs(10);

/// How long the set-up of a group may take: stock brokers wait 3 s before the first generation.
const WITHIN: Duration = Duration::from_secs(15);

/// What a loaded broker may add to a timer of its own before a case takes it for broken.
pub(crate) const GRACE: Duration = Duration::from_secs(6);

/// A member of a group, on a connection of its own.
#[derive(Debug)]
pub(crate) struct Member {
    /// The connection to the coordinator.
    pub(crate) conn: Conn,
    /// Group id.
    pub(crate) group: String,
    /// Member id.
    pub(crate) id: String,
    /// Generation that the member joined last.
    pub(crate) generation: i32,
    /// What it said when it joined, its member id included.
    pub(crate) joined: JoinGroupRequest,
}

/// A JoinGroup that waits for its answer.
#[derive(Debug)]
pub(crate) struct Joining {
    /// The connection on which the answer comes.
    pub(crate) conn: Conn,
    /// The request.
    pub(crate) request: JoinGroupRequest,
    sent: Sent<JoinGroupResponse>,
}

/// A connection to the coordinator of this group, which has loaded its part of the offsets topic.
pub(crate) async fn coordinator(cx: &Cx, group: &str) -> Result<Conn, Failure> {
    let mut conn = cx.group_coordinator(group).await?;
    let probe = DescribeGroupsRequest::default().with_groups(vec![GroupId(text(group))]);
    cx.settle(&mut conn, &probe, COORDINATOR_ON_ITS_WAY).await?.answered()?;
    Ok(conn)
}

/// Whether the target runs the newer coordinator (KIP-848): every release from 4.0 on, 3.x where it was switched on.
pub(crate) fn newer_coordinator(cx: &Cx) -> bool {
    let config = |name: &str| cx.facts().configs.get(name).map_or("", String::as_str);
    cx.since(4, 0)
        || config("group.coordinator.new.enable") == "true"
        || config("group.coordinator.rebalance.protocols").contains("consumer")
}

/// The shortest session that the target allows; not below 800 ms, so that a loaded broker is not taken for a dead member.
pub(crate) fn shortest_session_ms(cx: &Cx) -> i32 {
    let least = cx.facts().config_number("group.min.session.timeout.ms").unwrap_or(6000);
    i32::try_from(least.max(800)).unwrap_or(i32::MAX)
}

/// A subscription as consumers send it (ConsumerProtocolSubscription version 0): topics, then user data.
pub(crate) fn subscription(topics: &[&str], user_data: &[u8]) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(0);
    bytes.put_i32(i32::try_from(topics.len()).unwrap_or(i32::MAX));
    for topic in topics {
        bytes.put_i16(i16::try_from(topic.len()).unwrap_or(i16::MAX));
        bytes.put_slice(topic.as_bytes());
    }
    bytes.put_i32(i32::try_from(user_data.len()).unwrap_or(i32::MAX));
    bytes.put_slice(user_data);
    bytes.freeze()
}

/// A protocol that a member offers.
pub(crate) fn protocol(name: &str, metadata: impl Into<Bytes>) -> JoinGroupRequestProtocol {
    JoinGroupRequestProtocol::default().with_name(text(name)).with_metadata(metadata.into())
}

/// A new dynamic consumer asks to join: one protocol, a session that no case waits for.
pub(crate) fn join(cx: &Cx, group: &str) -> Result<JoinGroupRequest, Failure> {
    let request = JoinGroupRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_session_timeout_ms(UNHURRIED_MS.max(shortest_session_ms(cx)))
        .with_protocol_type(text(CONSUMER))
        .with_protocols(vec![protocol(RANGE, subscription(&["subscribed"], b""))]);
    // Version 0 has no rebalance timeout: the session timeout serves for both.
    let timed = cx.version_of(keys::JoinGroup)? >= 1;
    Ok(if timed { request.with_rebalance_timeout_ms(60_000) } else { request })
}

/// The same with an instance id: a static member (KIP-345).
pub(crate) fn join_static(
    cx: &Cx,
    group: &str,
    instance: &str,
) -> Result<JoinGroupRequest, Failure> {
    Ok(join(cx, group)?.with_group_instance_id(Some(text(instance))))
}

/// Gives the request of a new dynamic member the id that the coordinator hands out, where the version wants one first.
pub(crate) async fn with_member_id(
    cx: &Cx,
    conn: &mut Conn,
    request: JoinGroupRequest,
) -> Result<JoinGroupRequest, Failure> {
    let known = !request.member_id.is_empty() || request.group_instance_id.is_some();
    if known || cx.version_of(keys::JoinGroup)? < MEMBER_ID_FIRST {
        return Ok(request);
    }
    let reply = conn.ask(request.clone()).await?.answered()?;
    if Code(reply.error_code) != Code::from(MemberIdRequired) {
        let code = Code(reply.error_code).to_string();
        return Err(Failure::blocked(Code::from(MemberIdRequired).to_string(), code));
    }
    Ok(request.with_member_id(reply.member_id.clone()))
}

/// Asks to join on this connection and leaves the answer to come.
pub(crate) async fn start_joining(
    cx: &Cx,
    mut conn: Conn,
    request: JoinGroupRequest,
) -> Result<Joining, Failure> {
    let request = with_member_id(cx, &mut conn, request).await?;
    let sent = conn.tell(request.clone()).await?;
    Ok(Joining { conn, request, sent })
}

/// The first member of a group asks to join; gives the answer to its member id. The classic coordinator forgets groups
/// that have only handed out an id whenever any topic is deleted (GroupMetadataManager.cleanupGroupMetadata, before 4.0):
/// such a group is dead for a moment (15) and then unknown (25), and the id is asked for again.
pub(crate) async fn first_to_join(
    cx: &Cx,
    request: JoinGroupRequest,
) -> Result<(Reply<JoinGroupResponse>, Conn, JoinGroupRequest), Failure> {
    let mut tries = cx.tries("the coordinator to know the member id that it gave", SETTLED_WITHIN);
    loop {
        let conn = coordinator(cx, &request.group_id).await?;
        let (reply, conn, sent) = start_joining(cx, conn, request.clone()).await?.reply().await?;
        let forgotten = [UnknownMemberId.into(), CoordinatorNotAvailable.into()];
        match reply.errors()?.iter().map(|(_, code)| *code).find(|code| forgotten.contains(code)) {
            None => return Ok((reply, conn, sent)),
            Some(code) => tries.again(code).await?,
        }
    }
}

impl Joining {
    /// The answer, and the connection with the request that it belongs to.
    pub(crate) async fn reply(
        mut self,
    ) -> Result<(Reply<JoinGroupResponse>, Conn, JoinGroupRequest), Failure> {
        let reply = self.conn.answer(self.sent).await?;
        Ok((reply, self.conn, self.request))
    }

    /// Set-up: the member that comes of it.
    pub(crate) async fn member(self) -> Result<(Member, Body<JoinGroupResponse>), Failure> {
        let (reply, conn, request) = self.reply().await?;
        let body = reply.ok()?;
        Ok((Member::new(conn, request, &body), body))
    }
}

impl Member {
    fn new(conn: Conn, request: JoinGroupRequest, body: &JoinGroupResponse) -> Self {
        Self {
            conn,
            group: request.group_id.0.to_string(),
            id: body.member_id.to_string(),
            generation: body.generation_id,
            joined: request.with_member_id(body.member_id.clone()),
        }
    }

    /// Set-up: joins a group; in one without members this is the leader of the first generation, and the group waits for
    /// its assignments (CompletingRebalance).
    pub(crate) async fn joining(cx: &Cx, request: JoinGroupRequest) -> Result<Self, Failure> {
        Ok(Self::first(cx, request).await?.0)
    }

    /// As [`Member::joining`], with what the coordinator answered.
    pub(crate) async fn first(
        cx: &Cx,
        request: JoinGroupRequest,
    ) -> Result<(Self, Body<JoinGroupResponse>), Failure> {
        let (reply, conn, sent) = first_to_join(cx, request).await?;
        let body = reply.ok()?;
        Ok((Self::new(conn, sent, &body), body))
    }

    /// Set-up: the only member of a stable group.
    pub(crate) async fn alone(cx: &Cx, group: &str) -> Result<Self, Failure> {
        Self::alone_as(cx, join(cx, group)?).await
    }

    /// Set-up: the only member of a stable group, which joined with this request.
    pub(crate) async fn alone_as(cx: &Cx, request: JoinGroupRequest) -> Result<Self, Failure> {
        let mut member = Self::joining(cx, request).await?;
        let assignments = [(member.id.clone(), &b"all"[..])];
        member.conn.ask(member.sync(cx, &assignments)?).await?.ok()?;
        Ok(member)
    }

    /// Set-up: leader and follower of a stable group. Their assignments are `leader's` and `follower's`.
    pub(crate) async fn pair(cx: &Cx, group: &str) -> Result<(Self, Self), Failure> {
        Self::pair_as(cx, join(cx, group)?, join(cx, group)?).await
    }

    /// Set-up: as [`Member::pair`], joining with these requests.
    pub(crate) async fn pair_as(
        cx: &Cx,
        leader: JoinGroupRequest,
        follower: JoinGroupRequest,
    ) -> Result<(Self, Self), Failure> {
        let (mut leader, mut follower) = Self::unassigned_pair(cx, leader, follower).await?;
        let assignments =
            [(leader.id.clone(), &b"leader's"[..]), (follower.id.clone(), &b"follower's"[..])];
        leader.conn.ask(leader.sync(cx, &assignments)?).await?.ok()?;
        follower.conn.ask(follower.sync(cx, &[])?).await?.ok()?;
        Ok((leader, follower))
    }

    /// Set-up: leader and follower of a group that waits for its assignments (CompletingRebalance).
    pub(crate) async fn unassigned_pair(
        cx: &Cx,
        leader: JoinGroupRequest,
        follower: JoinGroupRequest,
    ) -> Result<(Self, Self), Failure> {
        let mut leader = Self::alone_as(cx, leader).await?;
        let joining = leader.disturb(cx, follower).await?;
        leader.rejoin().await?.ok()?;
        let (follower, body) = joining.member().await?;
        leader.generation = body.generation_id;
        Ok((leader, follower))
    }

    /// Set-up: another member asks to join on a connection of its own, and the group is rebalancing because of it
    /// (PreparingRebalance) until this member joins again.
    pub(crate) async fn disturb(
        &mut self,
        cx: &Cx,
        request: JoinGroupRequest,
    ) -> Result<Joining, Failure> {
        let conn = coordinator(cx, &self.group).await?;
        let joining = start_joining(cx, conn, request).await?;
        self.sees(cx, RebalanceInProgress).await?;
        Ok(joining)
    }

    /// Set-up: waits until this member's heartbeats are answered so.
    pub(crate) async fn sees(&mut self, cx: &Cx, code: impl Into<Code>) -> Outcome {
        let code = code.into();
        let mut tries = cx.tries(format!("a heartbeat answered {code}"), WITHIN);
        loop {
            let seen = Code(self.conn.ask(self.heartbeat()).await?.answered()?.error_code);
            if seen == code {
                return Ok(());
            }
            tries.again(seen).await?;
        }
    }

    /// The act: this member's heartbeats come to be answered so, within this time.
    pub(crate) async fn comes_to_see(
        &mut self,
        cx: &Cx,
        code: impl Into<Code>,
        within: Duration,
    ) -> Outcome {
        let code = code.into();
        let mut tries = cx.tries(format!("a heartbeat answered {code}"), within);
        loop {
            let seen = Code(self.conn.ask(self.heartbeat()).await?.expect_answer()?.error_code);
            if seen == code {
                return Ok(());
            }
            tries.expect(seen).await?;
        }
    }

    /// Joins again as it joined before; takes up the generation that comes of it.
    pub(crate) async fn rejoin(&mut self) -> Result<Reply<JoinGroupResponse>, Failure> {
        let reply = self.conn.ask(self.joined.clone()).await?;
        if let kconform_scenario::Ending::Answered(body) = reply.ending()
            && body.error_code == 0
        {
            self.generation = body.generation_id;
        }
        Ok(reply)
    }

    /// Its Heartbeat.
    pub(crate) fn heartbeat(&self) -> HeartbeatRequest {
        HeartbeatRequest::default()
            .with_group_id(self.joined.group_id.clone())
            .with_generation_id(self.generation)
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.joined.group_instance_id.clone())
    }

    /// Its SyncGroup, with these assignments: member id and bytes.
    pub(crate) fn sync(
        &self,
        cx: &Cx,
        assignments: &[(String, &[u8])],
    ) -> Result<SyncGroupRequest, Failure> {
        let assignments = assignments.iter().map(|(id, bytes)| {
            SyncGroupRequestAssignment::default()
                .with_member_id(text(id))
                .with_assignment(Bytes::copy_from_slice(bytes))
        });
        let request = SyncGroupRequest::default()
            .with_group_id(self.joined.group_id.clone())
            .with_generation_id(self.generation)
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.joined.group_instance_id.clone())
            .with_assignments(assignments.collect());
        if cx.version_of(keys::SyncGroup)? < NAMED_PROTOCOL {
            return Ok(request);
        }
        let name = self.joined.protocols.first().map(|protocol| protocol.name.clone());
        Ok(request
            .with_protocol_type(Some(self.joined.protocol_type.clone()))
            .with_protocol_name(name))
    }

    /// Its LeaveGroup.
    pub(crate) fn leave(&self, cx: &Cx) -> Result<LeaveGroupRequest, Failure> {
        leave(cx, &self.group, &self.id)
    }
}

/// A LeaveGroup of the member with this id.
pub(crate) fn leave(cx: &Cx, group: &str, id: &str) -> Result<LeaveGroupRequest, Failure> {
    let request = LeaveGroupRequest::default().with_group_id(GroupId(text(group)));
    if cx.version_of(keys::LeaveGroup)? < LEAVING_TOGETHER {
        return Ok(request.with_member_id(text(id)));
    }
    Ok(request.with_members(vec![identity(id, None)]))
}

/// Who is to leave, from version 3 on.
pub(crate) fn identity(id: &str, instance: Option<&str>) -> MemberIdentity {
    MemberIdentity::default().with_member_id(text(id)).with_group_instance_id(instance.map(text))
}
