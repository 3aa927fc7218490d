#!/usr/bin/env node
// nibble and llama.cpp in turn on the same files, same threads; medians and pairwise ratios.
//
//   node bench/side_by_side.mjs quantize FOLDER_OR_F16_GGUF [--types q8_0,q4_0] [--runs 3] [--threads 2]
//   node bench/side_by_side.mjs run MODEL.gguf... [--prompt 512] [--generate 64] [--runs 5] [--threads 2]
//
// --nibble PROGRAM (build/nibble), --peer FOLDER (build/peer, with node_modules), --work FOLDER (a
// temporary one). The two take turns, A B A B …, so that a drift of the machine's speed meets both;
// a ratio above 1 means nibble is faster. Decoding goes through llama.cpp's Node.js binding, whose own
// cost per token (1 to 17 ms on a model too small to matter) is in its figures.
import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const [verb, ...words] = process.argv.slice(2);
const options = {types: 'q8_0,q4_0', runs: '3', threads: '2', prompt: '512', generate: '64',
                 nibble: 'build/nibble', peer: 'build/peer', work: ''};
const files = [];
for (let i = 0; i < words.length; i++) {
  if (!words[i].startsWith('--')) files.push(words[i]);
  else if (words[i].slice(2) in options) options[words[i].slice(2)] = words[++i];
  else fail(`unknown option ${words[i]}`);
}
const runs = Number(options.runs);
const libraries = join(options.peer, 'node_modules/@node-llama-cpp/linux-x64/bins/linux-x64');

function fail(text) {
  console.error(`side_by_side: ${text}`);
  process.exit(2);
}

function run(program, args) {
  const begin = performance.now();
  const done = spawnSync(program, args, {encoding: 'utf8', maxBuffer: 1 << 26});
  const seconds = (performance.now() - begin) / 1000;
  if (done.status !== 0) fail(`${program} ${args.join(' ')}: exit ${done.status}\n${done.stderr}`);
  return {seconds, out: done.stdout};
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const spread = (numbers) => `${Math.min(...numbers).toFixed(2)}–${Math.max(...numbers).toFixed(2)}`;
const ratios = (a, b) => a.map((x, i) => x / b[i]);

function print(label, unit, ours, theirs, ratio) {
  console.log(`${label.padEnd(24)} nibble ${median(ours).toFixed(2).padStart(9)} ${unit}   ` +
              `llama.cpp ${median(theirs).toFixed(2).padStart(9)} ${unit}   ` +
              `ratio ${median(ratio).toFixed(2)} (${spread(ratio)})`);
}

function quantize() {
  if (files.length !== 1) fail('quantize takes one model');
  const work = options.work || mkdtempSync(join(tmpdir(), 'nibble-bench-'));
  const source = join(work, 'source.gguf');
  run(options.nibble, ['convert', files[0], '-o', source, '-f', '-q']);
  const bytes = statSync(source).size;
  const fileTypes = {q4_0: 2, q4_1: 3, q8_0: 7, q5_0: 8, q5_1: 9};
  for (const type of options.types.split(',')) {
    const ours = [], theirs = [];
    for (let i = 0; i < runs; i++) {
      ours.push(run(options.nibble, ['quantize', source, '-o', join(work, 'ours.gguf'), '--type', type,
                                     '-j', options.threads, '-f', '-q']).seconds);
      theirs.push(run(join(options.nibble, '../bench/peer_quantize'),
                      [libraries, source, join(work, 'theirs.gguf'), String(fileTypes[type]),
                       options.threads]).seconds);
    }
    print(`quantize ${type}`, 's', ours, theirs, ratios(theirs, ours));
    console.log(`${''.padEnd(24)} nibble ${(bytes / median(ours) / 1e9).toFixed(2)} GB/s of input`);
  }
  if (!options.work) rmSync(work, {recursive: true});
}

function speed() {
  for (const file of files) {
    const ours = {prefill: [], decode: []}, theirs = {prefill: [], decode: []};
    let last;
    for (let i = 0; i < runs; i++) {
      last = JSON.parse(run(options.nibble,
          ['bench', file, '--prompt', options.prompt, '--generate', options.generate,
           '-j', options.threads, '--json', '-q']).out);
      ours.prefill.push(last.prefill_tokens_per_s);
      ours.decode.push(last.decode_tokens_per_s);
      const peer = JSON.parse(run('node', [join(options.peer, 'peer.mjs'), 'speed', file,
          options.prompt, options.generate, options.threads, '3']).out);
      theirs.prefill.push(peer.prefill_tokens_per_s);
      theirs.decode.push(peer.decode_tokens_per_s);
    }
    console.log(file);
    for (const phase of ['prefill', 'decode']) {
      const n = phase === 'prefill' ? options.prompt : options.generate;
      print(`  ${phase} ${n}`, 'tok/s', ours[phase], theirs[phase], ratios(ours[phase], theirs[phase]));
    }
    console.log(`  share of the machine's limit: prefill ${percent(last.share_of_peak)} of arithmetic ` +
                `peak, decode ${percent(last.share_of_bandwidth)} of read bandwidth`);
  }
}

const percent = (share) => `${(100 * share).toFixed(0)} %`;

if (verb === 'quantize') quantize();
else if (verb === 'run' && files.length > 0) speed();
else fail('expected: quantize MODEL, or run MODEL.gguf...');
