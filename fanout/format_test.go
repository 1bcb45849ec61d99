package fanout

import (
	"reflect"
	"testing"
)

// What Text writes, ParseTarget reads back, key by key.
func TestTextIsReadBack(t *testing.T) {
	f := func(options string) {
		t.Helper()
		want, err := ParseTarget("a=http://a"+options, DefaultTarget(), 1)
		if err != nil {
			t.Fatal(err)
		}
		text := "a=http://a"
		for _, key := range TargetKeys() {
			if value := want.Text(key); value != "" {
				text += "," + key + "=" + value
			}
		}
		got, err := ParseTarget(text, TargetConfig{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		want.Group = want.groupName() // which is what it says
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %+v, want %+v", text, got, want)
		}
	}
	f("")
	f(",group=g,weight=3,sample=0.125%,rate=0.5/s,conns=7,batch=1,queue=100,drop=oldest,timeout=1500ms,max-age=90s,host=target,methods=GET+HEAD")
	f(",rate=1000000/s,host=example.com,methods=PURGE")
	f(",http=2,batch=7")
	f(",path=/api/*+/x,hosts=a.example.com+*.b,upgrade=true,set-header=A:b%2Cc+D:e%2Bf%20g%25,del-header=x+y,rewrite=/a/=/b/")
	f(",tls-ca=/ca.pem,tls-cert=/c.pem,tls-key=/k.pem,server-name=a.example.com")
	f(",against=v1,noise=v1b")
	f(",max=20GiB,age=168h,sync=block,mask=a+b")
}
