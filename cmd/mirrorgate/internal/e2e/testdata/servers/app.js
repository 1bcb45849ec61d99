// What Node serves, by the module that is named: it appends a line for each request to the log, and responds with its status and id.
const crypto = require('crypto'), fs = require('fs'), http = require(process.argv[2])

const log = fs.openSync('%LOG%', 'a')
http.createServer({ keepAliveTimeout: 300_000 }, (request, response) => {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks), id = request.headers['x-id']
    fs.writeSync(log, `${request.method} ${request.url} ${id} ${body.length} ${crypto.createHash('sha1').update(body).digest('hex')}\n`)
    response.writeHead(Number(request.url.split('/')[1]), { 'x-id': id })
    response.end(id)
  })
}).listen(%PORT%, '127.0.0.1')
