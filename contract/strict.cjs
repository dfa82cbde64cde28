// Loaded before the proxy: a shape that its validator cannot compile is an error
// here, where the proxy would let everything of that shape pass without a word.

const path = require('node:path');

const core = require(path.join(process.env.GC_NODE_MODULES, 'node_modules/ajv/dist/core')).default;
const compile = core.prototype.compile;

core.prototype.compile = function compileLoudly(...args) {
  try {
    return compile.apply(this, args);
  } catch (error) {
    console.error(`Violation: a shape of the description cannot be checked: ${error.message}`);
    throw error;
  }
};
