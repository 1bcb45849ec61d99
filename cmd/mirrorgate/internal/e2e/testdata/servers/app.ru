# What Puma serves: it appends a line for each request to the log, and responds with its status and id.
require 'digest'
LOG = File.open('%LOG%', 'a')
run lambda { |env|
  body, path, id = env['rack.input'].read, env['PATH_INFO'], env['HTTP_X_ID']
  LOG.syswrite("#{env['REQUEST_METHOD']} #{path} #{id} #{body.bytesize} #{Digest::SHA1.hexdigest(body)}\n")
  [path.split('/')[1].to_i, { 'content-type' => 'text/plain', 'x-id' => id }, [id]]
}
