/** Runs the mock server for looking at the built page by hand: `npx vite-node test/mock/serve.ts [DIST]`. SIGUSR1 cuts all connections. */
import { MockServer } from "./server.ts";

const server = new MockServer({ desktop: "none", ...(process.argv[2] === undefined ? {} : { dist: process.argv[2] }) });
server.state.files.set("notes.md", new Uint8Array(2_400));
server.state.files.set("report.pdf", new Uint8Array(1_400_000));
process.stdout.write(`http://127.0.0.1:${await server.listen(8765)}/#token=test-token\n`);
process.on("SIGUSR1", () => server.cut());
