vcl 4.1;

backend application {
    .host = "%APPHOST%";
    .port = "%APPPORT%";
}

# Each request is to be seen by the application, HEAD as HEAD.
sub vcl_recv { return (pass); }
