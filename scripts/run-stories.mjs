// Runs the stories (integration tests of desk, api, worker, testkit) once more, in the environment given. The programs
// are those that `cargo test --workspace` has built: asking cargo for fewer crates would resolve other features and
// compile everything anew.
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";

const CRATES = ["desk", "api", "worker", "testkit"];
// They read files or start programs, and no engine is involved.
const NOT_STORIES = ["tidy"];

const built = spawnSync("cargo", ["test", "--workspace", "--locked", "--no-run", "--message-format=json"], {
  encoding: "utf8",
  maxBuffer: 1 << 28,
  stdio: ["ignore", "pipe", "inherit"],
});
if (built.status !== 0) process.exit(built.status ?? 1);

const stories = built.stdout
  .split("\n")
  .filter((line) => line.startsWith("{"))
  .map((line) => JSON.parse(line))
  .filter((artifact) => artifact.reason === "compiler-artifact" && artifact.profile.test && artifact.executable && artifact.target.kind.includes("test"))
  .filter((artifact) => CRATES.some((name) => artifact.manifest_path.endsWith(`/crates/${name}/Cargo.toml`)))
  .filter((artifact) => !NOT_STORIES.includes(artifact.target.name));
if (stories.length === 0) {
  console.error("no stories were found: are there still integration tests in " + CRATES.join(", ") + "?");
  process.exit(1);
}

let failed = 0;
for (const story of stories) {
  const folder = dirname(story.manifest_path);
  console.log(`     Running ${folder.split("/").pop()}/${story.target.name}`);
  const run = spawnSync(story.executable, process.argv.slice(2), { cwd: folder, stdio: ["ignore", "inherit", "inherit"] });
  if (run.status !== 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
