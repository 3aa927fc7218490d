#!/usr/bin/env node
// Asks llama.cpp what it makes of a GGUF file, and prints the answer as one line of JSON.
//
//   peer.mjs load   MODEL                                    that it loads: architecture, types
//   peer.mjs tokens MODEL TEXT                               ids of the text, no BOS
//   peer.mjs score  MODEL TEXT [TOKENS=1000] [WINDOW=256]    ln p of each token given its window
//   peer.mjs next   MODEL TEXT [COUNT=10]                    the most likely next tokens
//   peer.mjs speed  MODEL [PROMPT=512] [GENERATE=64] [THREADS=2] [REPEATS=3]    tokens per second
//
// MODEL and TEXT are file names. A window is BOS and WINDOW - 1 tokens; windows do not overlap, and
// every token of the text is scored once. Exit code 2 for a wrong command line, 1 when llama.cpp
// refuses the file.
import {readFileSync} from 'node:fs';
import {getLlama} from 'node-llama-cpp';

const usage = 'usage: peer.mjs load|tokens|score|next|speed MODEL [TEXT] [NUMBER]...';

function number(argument, fallback) {
  if (argument === undefined) return fallback;
  const value = Number(argument);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${argument} is not a count\n${usage}`);
  return value;
}

async function open(file, threads = 2) {
  const llama = await getLlama({gpu: false, build: 'never', logLevel: 'error', maxThreads: threads});
  const begin = performance.now();
  const model = await llama.loadModel({modelPath: file});
  return {model, load_ms: performance.now() - begin};
}

async function load([file]) {
  const {model, load_ms} = await open(file);
  const {metadata, fullTensorInfo = []} = model.fileInfo;
  const tensor_types = {};
  for (const {ggmlType} of fullTensorInfo) tensor_types[ggmlType] = (tensor_types[ggmlType] ?? 0) + 1;
  return {
    architecture: metadata.general.architecture,
    file_type: metadata.general.file_type,
    train_context: model.trainContextSize,
    tensor_types,
    load_ms,
  };
}

async function tokens([file, text]) {
  const {model} = await open(file);
  return model.tokenize(readFileSync(text, 'utf8'), false);
}

// Evaluates `input` from an empty cache; asks for the distribution after the tokens `wanted` names.
async function distributions(sequence, input, wanted) {
  await sequence.clearHistory();
  const marked = input.map((token, i) =>
    wanted(i) ? [token, {generateNext: {probabilities: true}}] : token);
  return sequence.controlledEvaluate(marked);
}

async function score([file, text, token_count, window_size]) {
  const window = number(window_size, 256);
  const {model} = await open(file);
  const ids = model.tokenize(readFileSync(text, 'utf8'), false).slice(0, number(token_count, 1000));
  const context = await model.createContext({contextSize: window + 8, batchSize: window, threads: 2});
  const sequence = context.getSequence();
  const log_probs = [];
  for (let first = 0; first < ids.length; first += window - 1) {
    const targets = ids.slice(first, first + window - 1);
    const input = [model.tokens.bos, ...targets.slice(0, -1)];
    const steps = await distributions(sequence, input, () => true);
    targets.forEach((id, i) => {
      log_probs.push(Math.log(steps[i].next.probabilities.get(id) ?? Number.MIN_VALUE));
    });
  }
  const mean = log_probs.reduce((sum, x) => sum + x, 0) / log_probs.length;
  return {tokens: log_probs.length, window, perplexity: Math.exp(-mean), log_probs};
}

async function next([file, text, count]) {
  const context_size = 512;
  const {model} = await open(file);
  const ids = model.tokenize(readFileSync(text, 'utf8'), false).slice(-(context_size - 12));
  const context = await model.createContext({contextSize: context_size, threads: 2});
  const input = [model.tokens.bos, ...ids];
  const steps = await distributions(context.getSequence(), input, (i) => i === input.length - 1);
  const likely = [...steps.at(-1).next.probabilities];
  return likely.slice(0, number(count, 10)).map(([id, p]) => ({id, p}));
}

async function speed([file, prompt_size, generate_size, thread_count, repeat_count]) {
  const prompt = number(prompt_size, 512), generate = number(generate_size, 64);
  const threads = number(thread_count, 2), repeats = number(repeat_count, 3);
  const {model, load_ms} = await open(file, threads);
  const context = await model.createContext(
    {contextSize: prompt + generate + 64, batchSize: 512, threads, flashAttention: true});
  const sequence = context.getSequence();
  const ids = Array.from({length: prompt}, (_, i) => 100 + ((i * 37) % 3000));
  const rate = (count, begin) => (1000 * count) / (performance.now() - begin);
  const prefill = [], decode = [];
  for (let repeat = 0; repeat < repeats; ++repeat) {
    await sequence.clearHistory();
    let begin = performance.now();
    await sequence.evaluateWithoutGeneratingNewTokens(ids);
    prefill.push(rate(prompt, begin));
    let generated = 0;
    begin = performance.now();
    for await (const _ of sequence.evaluate([5])) if (++generated === generate) break;
    decode.push(rate(generated, begin));
  }
  const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
  return {
    threads,
    load_ms,
    prefill_tokens_per_s: median(prefill),
    decode_tokens_per_s: median(decode),
    prefill,
    decode,
  };
}

const verbs = {load, tokens, score, next, speed};
const needs_text = new Set(['tokens', 'score', 'next']);
const [verb, ...rest] = process.argv.slice(2);
if (!Object.hasOwn(verbs, verb ?? '') || rest.length < (needs_text.has(verb) ? 2 : 1)) {
  console.error(usage);
  process.exit(2);
}
try {
  const answer = JSON.stringify(await verbs[verb](rest)) + '\n';
  process.stdout.write(answer, () => process.exit(0));
} catch (error) {
  console.error(`peer.mjs: ${error.message}`);
  process.exit(1);
}
