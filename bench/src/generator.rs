//! The load generator's process, as the one who measures sees it.

use std::time::Duration;

use muster_integration::programs;

use crate::home;
use crate::load::{Answer, Plan};
use crate::program::Program;

/// How long it may take to make its records, and to send those before the measured ones.
const READY: Duration = Duration::from_secs(300);
/// How long it may take to send.
const SEND: Duration = Duration::from_secs(1200);

/// A load generator that is warm and waits.
pub(crate) struct Generator {
    program: Program,
}

impl Generator {
    /// Starts it, and waits until it is ready to send.
    pub(crate) fn start(url: &str, plan: &Plan) -> anyhow::Result<Self> {
        let plan = Plan { server: url.to_owned(), ..plan.clone() };
        let mut command = programs::command("muster-bench");
        command.arg("load").args(plan.arguments());
        let mut program = Program::start("load generator", &mut command, &home::log("load")?)?;
        program.wait_for("ready", READY)?;
        Ok(Self { program })
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.program.id()
    }

    /// Lets it send.
    pub(crate) fn go(&mut self) -> anyhow::Result<()> {
        self.program.say("go")
    }

    /// Waits until it has sent all, and been answered.
    pub(crate) fn answer(&mut self) -> anyhow::Result<Answer> {
        Ok(serde_json::from_str(&self.program.wait_for("{", SEND)?.text)?)
    }
}
