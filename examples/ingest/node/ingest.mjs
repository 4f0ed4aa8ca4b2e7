// The pipeline of ../pipeline.py once more, in another language. All that it shares with the server is `idl/`.
//
//   INGEST_SIGNING_KEY=... node ingest.mjs 127.0.0.1:50051 DIRECTORY

import { createHash, createHmac } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { LCPlatformError } from './errors.mjs'
import { connect } from './lcplatform.mjs'

const FILES = 'files/'
const REPORT = 'report.json'
const PATIENCE = { nanos: 200_000_000 }

class Ingest {
  constructor(platform, name = 'ingest') {
    Object.assign(this, platform, { name })
  }

  async run(directory, signingKey, workers = 4) {
    await this.prepare(signingKey)
    await this.upload(directory)
    await this.publish(await this.process(workers))
  }

  /** Creates what the pipeline needs. What is there already stays as it is. */
  async prepare(signingKey) {
    const { name } = this
    await unlessThere(this.objectStore.createBucket({ name }))
    await unlessThere(this.queue.createQueue({ name, visibility_timeout: { seconds: 60 } }))
    await unlessThere(this.secrets.createSecret({ name, value: { text: signingKey } }))
  }

  /** Stores every file and queues a message with its key. */
  async upload(directory) {
    for (const file of await files(directory)) {
      const key = FILES + path.relative(directory, file).split(path.sep).join('/')
      await this.objectStore.putObject({ bucket: this.name, key }, createReadStream(file))
      await this.queue.sendMessage({ queue: this.name, body: { text: key } })
    }
  }

  /** Has that many workers empty the queue. */
  async process(workers) {
    const shares = await Promise.all(Array.from({ length: workers }, () => this.work()))
    // A queue delivers at least once: the same file may have been worked on twice, with the same result.
    const entries = new Map(shares.flat().map((entry) => [entry.key, entry]))
    return [...entries.values()].sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
  }

  /** Takes messages in batches until there are none. A message is deleted when its file is done. */
  async work() {
    const done = []
    for (;;) {
      const { messages } = await this.queue.receiveMessages({ queue: this.name, max_messages: 10, wait: PATIENCE })
      if (messages.length === 0) return done
      for (const message of messages) {
        done.push(await this.sign(message.body.text))
        await this.queue.deleteMessage({ queue: this.name, receipt_handle: message.receipt_handle })
      }
    }
  }

  /** Streams an object of any size, hashes it and signs the hash. */
  async sign(key) {
    const hash = createHash('sha256')
    const { size, body } = await this.objectStore.getObject({ bucket: this.name, key })
    for await (const chunk of body) hash.update(chunk)
    const digest = hash.digest()
    const { value } = await this.secrets.getSecret({ name: this.name })
    const signature = createHmac('sha256', value.text).update(digest).digest('hex')
    return { key, size: Number(size), sha256: digest.toString('hex'), signature }
  }

  /** Writes the report beside the files. Equal files and an equal secret give equal bytes. */
  async publish(entries) {
    const report = Buffer.from(JSON.stringify(entries, null, 2))
    await this.objectStore.putObject({ bucket: this.name, key: REPORT, content_type: 'application/json' }, [report])
  }

  /** What is found on the platform afterwards: the report in the bucket, and what is left in the queue. */
  async summary() {
    const { body } = await this.objectStore.getObject({ bucket: this.name, key: REPORT })
    const report = await buffer(body)
    const entries = JSON.parse(report)
    const { queue } = await this.queue.getQueue({ name: this.name })
    const counts = [queue.available_messages, queue.in_flight_messages, queue.delayed_messages]
    return {
      files: entries.length,
      bytes: entries.reduce((sum, { size }) => sum + size, 0),
      report: sha256(report),
      signatures: sha256(entries.map(({ signature }) => signature).join('')),
      left: counts.reduce((sum, count) => sum + Number(count ?? 0), 0),
    }
  }
}

async function files(directory) {
  const found = await readdir(directory, { recursive: true, withFileTypes: true })
  return found.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
}

async function unlessThere(created) {
  await created.catch((error) => {
    if (error.code !== 'ALREADY_EXISTS') throw error
  })
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}

const [endpoint, directory] = process.argv.slice(2)
const platform = connect(endpoint)
try {
  const started = performance.now()
  const ingest = new Ingest(platform)
  await ingest.run(directory, process.env.INGEST_SIGNING_KEY)
  const seconds = (performance.now() - started) / 1000
  console.log(JSON.stringify({ ...(await ingest.summary()), seconds }))
} catch (error) {
  if (!(error instanceof LCPlatformError)) throw error
  console.error(String(error))
  process.exitCode = 1
} finally {
  platform.close()
}
