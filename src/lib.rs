//! pagerdeck: a terminal incident cockpit for the on-call engineer.
//!
//! # The house
//!
//! ```text
//!           keys ─┐                                      ┌─► screen (coalesced frames)
//!                 ▼                                      │
//!  ui (intents) ─► runtime loop ──► journal (append) ──► ui::view (pure)
//!                 ▲    │  stamp seq + time                ▲
//!   adapters ─────┘    ▼                                  │ reads
//!   (answers)   session::update(&mut Session, &Record) ───┘
//!                      │ Vec<Effect>
//!                      ▼
//!               runtime outbox and runner ──► adapters (AWS, Kubernetes, Slack)
//!                                                 │ real wire protocols
//!                                                 ▼
//!                          the cloud   or   rehearsal (127.0.0.1)
//! ```
//!
//! - **The seams are data, not traits.** Inward the seam is an event, outward it is an effect, outside of the process it
//!   is the wire. There is no mock client: production, rehearsal and tests run the same adapters against different
//!   endpoints.
//! - **A session is only ever a fold of records.** The fold is total, deterministic and does no I/O; time, ids and
//!   randomness arrive in the record.
//! - **Only the gate makes a permit, and only a permit can move the world.** The doors of the adapters that change
//!   something consume one by value. The preview's door always sends `dryRun=All` and needs none.
//! - **The loop awaits nothing but its inbox.** A record is folded at once; its effects wait in an outbox until the
//!   journal has acknowledged it. A replay has no outbox, so nothing runs twice.
//! - **Logs have a home of their own.** Lines are cleaned, redacted and counted before they become an event. The journal
//!   keeps counts and the excerpts that evidence cites, never every line.
//! - **Two clocks.** Incident time (the scenario's in a rehearsal) drives windows, freshness and timers; the monotonic
//!   wall clock drives network time-outs and the approval's grace.
//!
//! # Layers
//!
//! | Layer | Module | May use |
//! |---|---|---|
//! | 0 | `domain` | nothing; inside: `observation` ← `diagnosis` ← `remediation` |
//! | 1 | `session` | `domain` |
//! | 1 | `report` | `domain`, `session` |
//! | 2 | `journal` | `domain`, `session` |
//! | 2 | `ui` | `domain`, `session`, `report` |
//! | 2 | `adapters` | `domain` |
//! | 2 | `rehearsal` | `domain` |
//! | 2 | `config` | `domain` |
//! | 3 | `runtime` | all above |
//! | 4 | `cli` | `config`, `runtime`, and `domain` for its words |
//!
//! A test reads every path of ours and fails on an edge outside of this table.
//!
//! # Invariants
//!
//! 1. `domain` and `session` do no I/O, read no clock, spawn nothing.
//! 2. Folding a journal twice gives equal sessions; the live session minus ephemeral events equals the one folded from
//!    disk.
//! 3. No mutating request without `dryRun=All` leaves without a permit; no permit without a synced approval of the same
//!    digest before it.
//! 4. In a dry-run session the simulator's ledger holds no mutating request without `dryRun=All`, whatever was approved.
//! 5. A journal that cannot be written makes the session read-only, and says so.
//! 6. Text from the model, from logs or from a file is never parsed for a command and never reaches an argument or a
//!    request but as a checked, typed value.
//! 7. A view cannot change state.
//! 8. The loop never awaits the network: with a server that accepts and stays silent, keys still answer within a frame.
//! 9. Old data never looks new: every panel carries its age.
//! 10. No control, escape or bidi character from telemetry, model or file reaches the terminal, Slack or a report
//!     unescaped.
//! 11. Secrets (keys, tokens, webhook addresses) never reach the journal, the model, Slack or a report.
//! 12. `rehearsal` and `adapters` share no wire code. Journals of every released version load.
//!
//! # Words
//!
//! | Word | Means |
//! |---|---|
//! | alarm | a CloudWatch alarm as last read |
//! | feed | where data comes from, with its health and age |
//! | evidence | a question, how it was asked, and an answer that says how complete it is |
//! | finding | one thing a rule found, for or against a cause |
//! | verdict | ranked causes with their findings, and what is missing; made by rules |
//! | narrative | the model's text |
//! | claim | one sentence of the narrative with the evidence it cites and its check |
//! | diagnosis | the model's structured answer, checked, beside the verdict |
//! | runbook | turns a verdict into a plan |
//! | plan, step, action | alternatives, the best first; an action on a target with its exact request; one of a closed catalogue |
//! | preview | a step's request sent with `dryRun=All` |
//! | approval, decision | what a person decided about one digest |
//! | permit, refusal | leave to send one request once, or why not and what would unlock |
//! | execution, verification, undo | what became of a request, whether it helped, the way back |
//! | journal, record | the append-only file of a session, and one event in it with its time |
//! | transcript, report | the session told whole; the message about an incident |
//! | follow-up | what a report promises to watch |
//! | policy | where live is allowed, and what opens the gate |
//! | rehearsal, scenario, ledger | a simulated cloud, what happens in it, and every request it received |
//! | scope | account, region, cluster, context |

pub mod adapters;
pub mod cli;
pub mod config;
pub mod domain;
pub mod journal;
pub mod rehearsal;
pub mod report;
pub mod runtime;
pub mod session;
pub mod ui;
