//! How a case comes by its connections: to any broker or a certain one, on any listener, logged in or not.

use std::rc::Rc;

use kconform_wire::{Dial, Link, Mechanism, OpenError, Sasl, Secret};

use crate::cx::{Cx, Shared};
use crate::facts::{Listener, Role};
use crate::failure::{Failure, Outcome};
use crate::{Code, Conn, keys};

impl Cx {
    /// A connection to any broker, the operator's way.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when it cannot be opened.
    pub async fn connect(&self) -> Result<Conn, Failure> {
        self.shared.connect().await
    }

    /// A connection to the broker with this id, the operator's way.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the broker is not in the metadata, or cannot be reached.
    pub async fn connect_broker(&self, id: i32) -> Result<Conn, Failure> {
        let Some(broker) = self.facts().brokers.iter().find(|broker| broker.id == id) else {
            let known: Vec<i32> = self.facts().brokers.iter().map(|broker| broker.id).collect();
            return Err(Failure::blocked(format!("broker {id}"), format!("brokers {known:?}")));
        };
        self.connect_address(&broker.host, broker.port).await
    }

    /// A connection to this address, otherwise the operator's way.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when it cannot be opened.
    pub async fn connect_address(&self, host: &str, port: u16) -> Result<Conn, Failure> {
        let mut dial = self.shared.default_dial();
        host.clone_into(&mut dial.host);
        dial.port = port;
        self.shared.open(&dial).await
    }

    /// A connection from this local address (127.0.0.2, say), otherwise the operator's way.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when it cannot be opened.
    pub async fn connect_from(&self, from: std::net::IpAddr) -> Result<Conn, Failure> {
        let mut dial = self.shared.default_dial();
        dial.from = Some(from);
        self.shared.open(&dial).await
    }

    /// A connection to this listener on which nobody has logged in.
    ///
    /// # Errors
    /// [`Failure::NotRun`] when the target has no such listener, [`Failure::Blocked`] when it cannot be opened.
    pub async fn connect_to(&self, listener: Listener) -> Result<Conn, Failure> {
        let dial = self.shared.dial(listener)?;
        self.shared.open(&dial).await
    }

    /// A connection to this listener whose opening is part of the act: the dial is changed first (other TLS options, no
    /// TLS, another user), and a refusal is given back for the scenario to judge.
    ///
    /// # Errors
    /// [`Failure::NotRun`] when the target has no such listener.
    pub async fn attempt(
        &self,
        listener: Listener,
        change: impl FnOnce(&mut Dial),
    ) -> Result<Result<Conn, OpenError>, Failure> {
        let mut dial = self.shared.dial(listener)?;
        change(&mut dial);
        let opened = Link::open(&self.shared.session, &dial).await;
        Ok(opened.map(|link| Conn::new(link, self.shared.clone())))
    }

    /// A connection to this listener, logged in as the user of this role.
    ///
    /// # Errors
    /// [`Failure::NotRun`] when there is no such listener or user, [`Failure::Blocked`] when the login fails.
    pub async fn log_in(
        &self,
        listener: Listener,
        role: Role,
        mechanism: Mechanism,
    ) -> Result<Conn, Failure> {
        let mut dial = self.shared.dial(listener)?;
        let (user, password) = self.credentials(role)?;
        dial.sasl = Some(Sasl { mechanism, user, secret: Secret(password) });
        self.shared.open(&dial).await
    }

    /// Name and password of the user of this role.
    ///
    /// # Errors
    /// [`Failure::NotRun`] when there is none.
    pub fn credentials(&self, role: Role) -> Result<(String, String), Failure> {
        match self.facts().users.get(&role) {
            Some(user) => Ok((user.name.clone(), user.password.clone())),
            None => Err(Failure::NotRun(format!(
                "a user under [users.{}] in the target file",
                role.name()
            ))),
        }
    }

    /// Whether a broker still serves: a fresh connection must be answered.
    ///
    /// # Errors
    /// [`Failure::Failed`] when it is not.
    pub async fn still_serves(&self) -> Outcome {
        self.shared.still_serves().await
    }

    pub(crate) async fn setup(&self) -> Result<Conn, Failure> {
        match self.setup.take() {
            Some(conn) => Ok(conn),
            None => self.connect().await,
        }
    }

    pub(crate) fn setup_done(&self, conn: Conn) {
        self.setup.replace(Some(conn));
    }
}

impl Shared {
    pub(crate) fn default_dial(&self) -> Dial {
        match &self.access {
            Some(access) => access.default.clone(),
            None => Dial::plain(self.facts.host.clone(), self.facts.port),
        }
    }

    fn dial(&self, listener: Listener) -> Result<Dial, Failure> {
        if listener == Listener::Default {
            return Ok(self.default_dial());
        }
        let Some((host, port)) = self.facts.listeners.get(&listener) else {
            return Err(Failure::NotRun(format!(
                "a listener `{}` in the target file",
                listener.name()
            )));
        };
        let dialled =
            self.access.as_ref().and_then(|access| access.listeners.get(&listener).cloned());
        Ok(dialled.unwrap_or_else(|| Dial::plain(host.clone(), *port)))
    }

    pub(crate) async fn connect(self: &Rc<Self>) -> Result<Conn, Failure> {
        let dial = self.living_dial();
        self.open(&dial).await
    }

    pub(crate) async fn open(self: &Rc<Self>, dial: &Dial) -> Result<Conn, Failure> {
        match Link::open(&self.session, dial).await {
            Ok(link) => Ok(Conn::new(link, self.clone())),
            Err(error) => {
                Err(Failure::blocked(format!("a connection to {}", dial.peer()), error.to_string()))
            }
        }
    }

    pub(crate) async fn still_serves(self: &Rc<Self>) -> Outcome {
        let asked = "the broker to go on serving other connections";
        let mut conn = match self.connect().await {
            Ok(conn) => conn,
            Err(Failure::Blocked(finding)) => return Err(Failure::failed(asked, finding.got)),
            Err(other) => return Err(other),
        };
        let reply = conn.ask_bytes(keys::ApiVersions, 0, &[][..]).await;
        match reply.expect_error(Code::NONE) {
            Err(Failure::Failed(mut finding)) => {
                finding.expected = asked.to_owned();
                Err(Failure::Failed(finding))
            }
            other => other,
        }
    }
}
