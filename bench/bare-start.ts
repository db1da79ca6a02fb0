/**
 * Imported for its effect by benches that count the start of Node.js: an environment that names certificates of its own makes each start read them
 * (0.05 s of CPU for Debian's 140, Node.js 20), which is no work of any contender.
 */
delete process.env.NODE_EXTRA_CA_CERTS;
