// Runs on a terminal of the page: what the test writes to the socket is output of this program, and what the
// terminal types comes out of the socket.

import net from 'node:net';

process.stdin.setRawMode(true);
const socket = net.connect(process.argv[2]);
socket.on('close', () => process.exit(0));
socket.on('error', () => process.exit(1));
process.stdin.pipe(socket);
socket.pipe(process.stdout);
