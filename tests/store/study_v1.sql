-- A log of format 1, as kerashpo 0.1 wrote it: one event of each kind.
PRAGMA user_version=1;
BEGIN TRANSACTION;
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    trial INTEGER,
    body TEXT NOT NULL
);
INSERT INTO "events" VALUES(1,'study',NULL,'{"at":0.0,"space":{"params":[{"name":"lr","kind":"float","low":0.0001,"high":0.1,"scale":"log"},{"name":"dropout","kind":"float","low":0.0,"high":0.5},{"name":"units","kind":"int","low":16,"high":256,"scale":"log"},{"name":"loss","kind":"fixed","value":"mse"},{"name":"optimizer","kind":"choice","values":["sgd","adam"]},{"name":"momentum","kind":"float","low":0.0,"high":0.99,"when":[["optimizer",["sgd"]]]}]},"objectives":[["val_loss","min"]],"seed":1099511627776,"settings":{"data":null},"environment":{"os":"x"}}');
INSERT INTO "events" VALUES(2,'session',NULL,'{"at":0.0,"wall":1700000000.0}');
INSERT INTO "events" VALUES(3,'job',0,'{"at":0.5,"worker":2,"kind":"start","job":{"trial":0,"config":{"lr":0.1,"name":"\u00e4/b","on":true,"no":null},"until":3}}');
INSERT INTO "events" VALUES(4,'configured',0,'{"at":0.6,"trial":0,"values":{"layers":2}}');
INSERT INTO "events" VALUES(5,'grown',0,'{"at":0.7,"trial":0,"space":{"params":[{"name":"lr","kind":"float","low":0.0001,"high":0.1,"scale":"log"},{"name":"dropout","kind":"float","low":0.0,"high":0.5},{"name":"units","kind":"int","low":16,"high":256,"scale":"log"},{"name":"loss","kind":"fixed","value":"mse"},{"name":"optimizer","kind":"choice","values":["sgd","adam"]},{"name":"momentum","kind":"float","low":0.0,"high":0.99,"when":[["optimizer",["sgd"]]]}]}}');
INSERT INTO "events" VALUES(6,'noted',0,'{"at":0.8,"trial":0,"facts":{"way":"compiled","retries":1}}');
INSERT INTO "events" VALUES(7,'report',0,'[1.0,0,0,1,0.123456789,{"loss":0.25,"val_loss":-Infinity}]');
INSERT INTO "events" VALUES(8,'reached',0,'{"at":1.1,"trial":0}');
INSERT INTO "events" VALUES(9,'decided',0,'{"at":1.2,"trial":0,"decision":"pause"}');
INSERT INTO "events" VALUES(10,'job',0,'{"at":1.3,"worker":0,"kind":"resume","job":{"trial":0,"until":9}}');
INSERT INTO "events" VALUES(11,'job',1,'{"at":1.4,"worker":0,"kind":"fork","job":{"trial":1,"parent":0,"at":3,"config":{"lr":0.2},"until":9}}');
INSERT INTO "events" VALUES(12,'ended',0,'{"at":1.5,"trial":0,"status":"FAILED","reason":"failed","failure":{"kind":"fit","message":"boom","traceback":"Traceback\n ...","output":"out"}}');
INSERT INTO "events" VALUES(13,'ended',1,'{"at":1.6,"trial":1,"status":"COMPLETED","reason":"completed","failure":null}');
INSERT INTO "events" VALUES(14,'session_end',NULL,'{"at":2.0,"reason":"finished","finished":true}');
COMMIT;
