//! The simulator's own share: the world at full scale in a process of its own, read by the cockpit in another.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pagerdeck::rehearsal::clock::Speed;
use pagerdeck::rehearsal::{StartOptions, scenario, start};

use super::cloud;
use super::figures::Bench;
use super::seat::{Seat, Share};
use super::table::Table;

const SCALE: &str = include_str!("../../assets/scenarios/scale/scenario.toml");
/// The service of the incident, as a configuration names it.
const CONFIG: &str = r#"
[[service]]
name = "my-api"
workload = { kind = "deployment", namespace = "payments", name = "my-api" }
log_groups = ["/ecs/my-api"]
[service.metrics]
cpu = { namespace = "AWS/ECS", name = "CPUUtilization", dimensions = { ClusterName = "eks-prod", ServiceName = "my-api" } }
memory = { namespace = "AWS/ECS", name = "MemoryUtilization", dimensions = { ClusterName = "eks-prod", ServiceName = "my-api" } }
"#;
/// How long the cockpit reads it.
const READ: Duration = Duration::from_mins(1);

/// Serves the world from this process until nobody holds its input any more; tells where on its output.
pub fn serve(folder: &Path) {
    let page = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let file = folder.join("scenario.toml");
    let text = SCALE.replacen("[scale]", &format!("start = \"{page}\"\n\n[scale]"), 1);
    std::fs::write(&file, text).unwrap();
    let scenario = scenario::load(file.to_str().unwrap()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = StartOptions { speed: Speed::Times(1.0), seed: None };
    let rehearsal = runtime.block_on(start(scenario, options)).unwrap();
    let kubeconfig = format!(
        "{{\"apiVersion\": \"v1\", \"kind\": \"Config\", \"current-context\": \"c\", \
         \"clusters\": [{{\"name\": \"c\", \"cluster\": {{\"server\": \"{}\"}}}}], \
         \"contexts\": [{{\"name\": \"c\", \"context\": {{\"cluster\": \"c\", \"user\": \"u\"}}}}], \
         \"users\": [{{\"name\": \"u\", \"user\": {{\"token\": \"t\"}}}}]}}",
        rehearsal.endpoints.kubernetes
    );
    std::fs::write(folder.join("kubeconfig"), kubeconfig).unwrap();
    println!("{}", rehearsal.endpoints.aws);
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().read(&mut [0]);
    runtime.block_on(rehearsal.stop());
}

/// The process that serves; it ends with this.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Bench {
    /// Memory and processor time of the simulator while a cockpit reads 5,000 pods, 2,000 alarms and 5,000 lines a second.
    pub fn simulator(&self, table: &mut Table) {
        let home = tempfile::tempdir().unwrap();
        let (cpu, memory) = ("<= 100 % of a core", "<= 300 MiB");
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("--simulator").arg(home.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = Server(command.spawn().unwrap());
        let mut endpoint = String::new();
        BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut endpoint).unwrap();
        std::fs::write(home.path().join("config.toml"), CONFIG).unwrap();
        let mut env = cloud::access(endpoint.trim(), home.path());
        let kubeconfig = home.path().join("kubeconfig").to_str().unwrap().to_owned();
        env.retain(|(name, _)| name != "KUBECONFIG");
        env.push(("KUBECONFIG".to_owned(), kubeconfig));
        let mut seat = self.seat(home.path(), &["--namespace", "payments"], env, (120, 40));
        let began = Instant::now();
        let told = read_for(&mut seat, READ);
        let (seconds, share) = (began.elapsed().as_secs_f64(), Share::of(server.0.id()));
        let held = format!("peak {:.0} MiB, {:.0} MiB at the end; {told}", share.peak_mib, share.resident_mib);
        table.row("Simulator at full scale, memory of its own process", memory, held);
        let busy = share.cpu.as_secs_f64();
        let used =
            format!("{:.0} % of a core over {seconds:.0} s ({busy:.1} s, start included)", busy / seconds * 100.0);
        table.row("Simulator at full scale, processor", cpu, used);
    }
}

/// Lets the cockpit read, and says how far it came.
fn read_for(seat: &mut Seat, span: Duration) -> String {
    let began = Instant::now();
    let judged = seat.until(span, |text| text.contains("memory leak"));
    seat.listen(span.saturating_sub(began.elapsed()));
    match judged {
        Some(at) => format!("verdict after {:.1} s", (at - began).as_secs_f64()),
        None => "NO VERDICT".to_owned(),
    }
}
