BEGIN TRANSACTION;
CREATE TABLE seedance_asset_requests (
	id INTEGER NOT NULL, 
	material_id INTEGER NOT NULL, 
	batch_id INTEGER NOT NULL, 
	run_id VARCHAR NOT NULL, 
	provider VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	billing_model VARCHAR NOT NULL, 
	unit_price VARCHAR, 
	currency VARCHAR, 
	sent_at VARCHAR NOT NULL, 
	answered_at VARCHAR, 
	outcome VARCHAR NOT NULL, 
	asset_id VARCHAR, 
	code VARCHAR, 
	message VARCHAR, 
	reserved VARCHAR, 
	resolution VARCHAR, 
	resolved_at VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(material_id) REFERENCES seedance_materials (id), 
	FOREIGN KEY(batch_id) REFERENCES seedance_batches (id), 
	FOREIGN KEY(run_id) REFERENCES seedance_runs (id)
);
CREATE TABLE seedance_attempts (
	id INTEGER NOT NULL, 
	row_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	run_id VARCHAR NOT NULL, 
	provider VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	sent_at VARCHAR NOT NULL, 
	answered_at VARCHAR, 
	outcome VARCHAR NOT NULL, 
	http_status INTEGER, 
	code VARCHAR, 
	message VARCHAR, 
	request_id VARCHAR, 
	job_id VARCHAR, 
	billing_model VARCHAR NOT NULL, 
	unit VARCHAR NOT NULL, 
	unit_price VARCHAR, 
	currency VARCHAR, 
	quote_low VARCHAR, 
	quote_high VARCHAR, 
	settlement VARCHAR NOT NULL, 
	tokens BIGINT, 
	units VARCHAR, 
	charge VARCHAR, 
	reserved VARCHAR, 
	reserve_currency VARCHAR, 
	reference_seconds VARCHAR, 
	resolution VARCHAR, 
	resolved_at VARCHAR, 
	PRIMARY KEY (id), 
	UNIQUE (row_id, number), 
	FOREIGN KEY(row_id) REFERENCES seedance_rows (id), 
	FOREIGN KEY(run_id) REFERENCES seedance_runs (id)
);
INSERT INTO "seedance_attempts" VALUES(1,1,1,'1eb110a9-98bd-404b-8a67-55839df58302','jimmy','default','seedance2.0-mini','1:x','2026-11-21T18:47:49.846460+00:00','2026-11-21T18:47:49.851556+00:00','created',200,NULL,NULL,'q','job-1','seedance2.0-mini-720p','second','0.05','CNY','0.25','0.25','charged',NULL,'5','0.25',NULL,'CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(2,2,1,'1eb110a9-98bd-404b-8a67-55839df58302','jimmy','default','seedance2.0-mini','1:x','2026-11-21T18:47:49.858628+00:00','2026-11-21T18:47:49.860019+00:00','created',200,NULL,NULL,'q','job-2','seedance2.0-mini-720p','second','0.05','CNY','0.25','0.25','open',NULL,NULL,NULL,NULL,'CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(3,3,1,'1eb110a9-98bd-404b-8a67-55839df58302','jimmy','default','seedance2.0-mini','1:x','2026-11-21T18:47:49.861016+00:00','2026-11-21T18:47:49.862075+00:00','unknown',NULL,NULL,'?',NULL,NULL,'seedance2.0-mini-720p','second','0.05','CNY','0.25','0.25','unknown',NULL,NULL,NULL,'1','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(4,4,1,'1eb110a9-98bd-404b-8a67-55839df58302','jimmy','default','seedance2.0-mini','1:x','2026-11-21T18:47:49.863479+00:00',NULL,'sent',NULL,NULL,NULL,NULL,NULL,'seedance2.0-mini-720p','second','0.05','CNY','0.25','0.25','open',NULL,NULL,NULL,NULL,'CNY',NULL,NULL,NULL);
CREATE TABLE seedance_batches (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	pruned_at VARCHAR, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "seedance_batches" VALUES(1,'spring','2026-11-21T18:47:49.833808+00:00',NULL);
CREATE TABLE seedance_book (
	name VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "seedance_book" VALUES('identity','c1c08858-77de-44e0-88af-df8a6f310519');
INSERT INTO "seedance_book" VALUES('version','2');
CREATE TABLE seedance_materials (
	id INTEGER NOT NULL, 
	provider VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	form VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	content VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	holder VARCHAR, 
	asset_id VARCHAR, 
	reference VARCHAR, 
	error_code VARCHAR, 
	error_message VARCHAR, 
	failed_by VARCHAR, 
	attempt INTEGER NOT NULL, 
	bytes BIGINT, 
	made_at VARCHAR, 
	expires_at VARCHAR, 
	changed_at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (provider, account, form, kind, content), 
	FOREIGN KEY(holder) REFERENCES seedance_runs (id)
);
INSERT INTO "seedance_materials" VALUES(1,'jimmy','default','link','image','abababababababababababababababababababababababababababababababab','cat.png','ready',NULL,NULL,'https://x.example/cat.png',NULL,NULL,NULL,1,NULL,'2026-11-21T18:47:49.869296+00:00',NULL,'2026-11-21T18:47:49.870282+00:00');
CREATE TABLE seedance_rows (
	id INTEGER NOT NULL, 
	batch_id INTEGER NOT NULL, 
	take VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	request JSON NOT NULL, 
	provider VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	holder VARCHAR, 
	attempt_id INTEGER, 
	file_name VARCHAR NOT NULL, 
	file_fold VARCHAR NOT NULL, 
	folder VARCHAR, 
	path VARCHAR, 
	sha256 VARCHAR, 
	bytes BIGINT, 
	modified_ns BIGINT, 
	etag VARCHAR, 
	width INTEGER, 
	height INTEGER, 
	seconds VARCHAR, 
	remarks VARCHAR, 
	error_kind VARCHAR, 
	error_code VARCHAR, 
	error_message VARCHAR, 
	planned_at VARCHAR NOT NULL, 
	finished_at VARCHAR, 
	stored_at VARCHAR, 
	link_expires_at VARCHAR, 
	changed_at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (batch_id, take, "key"), 
	UNIQUE (batch_id, file_fold), 
	FOREIGN KEY(batch_id) REFERENCES seedance_batches (id), 
	FOREIGN KEY(holder) REFERENCES seedance_runs (id)
);
INSERT INTO "seedance_rows" VALUES(1,1,'1','stored','1:stored','{"prompt": "一只猫 stored", "duration": 5}','jimmy','default','seedance2.0-mini','stored','1eb110a9-98bd-404b-8a67-55839df58302',1,'stored','stored',NULL,'/videos/a.mp4','abababababababababababababababababababababababababababababababab',1234,1,NULL,1280,720,'5.042',NULL,NULL,NULL,NULL,'2026-11-21T18:47:49.839227+00:00','2026-11-21T18:47:49.854912+00:00','2026-11-21T18:47:49.857428+00:00',NULL,'2026-11-21T18:47:49.857433+00:00');
INSERT INTO "seedance_rows" VALUES(2,1,'1','created','1:created','{"prompt": "一只猫 created", "duration": 5}','jimmy','default','seedance2.0-mini','created','1eb110a9-98bd-404b-8a67-55839df58302',2,'created','created',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-21T18:47:49.839227+00:00',NULL,NULL,NULL,'2026-11-21T18:47:49.860083+00:00');
INSERT INTO "seedance_rows" VALUES(3,1,'1','unknown','1:unknown','{"prompt": "一只猫 unknown", "duration": 5}','jimmy','default','seedance2.0-mini','unknown','1eb110a9-98bd-404b-8a67-55839df58302',3,'unknown','unknown',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Refused',NULL,'?','2026-11-21T18:47:49.839227+00:00',NULL,NULL,NULL,'2026-11-21T18:47:49.862604+00:00');
INSERT INTO "seedance_rows" VALUES(4,1,'1','sent','1:sent','{"prompt": "一只猫 sent", "duration": 5}','jimmy','default','seedance2.0-mini','sent','1eb110a9-98bd-404b-8a67-55839df58302',4,'sent','sent',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-21T18:47:49.839227+00:00',NULL,NULL,NULL,'2026-11-21T18:47:49.863562+00:00');
INSERT INTO "seedance_rows" VALUES(5,1,'1','planned','1:planned','{"prompt": "一只猫 planned", "duration": 5}','jimmy','default','seedance2.0-mini','planned','1eb110a9-98bd-404b-8a67-55839df58302',NULL,'planned','planned',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-21T18:47:49.839227+00:00',NULL,NULL,NULL,'2026-11-21T18:47:49.839227+00:00');
CREATE TABLE seedance_runs (
	id VARCHAR NOT NULL, 
	batch_id INTEGER NOT NULL, 
	flow_run_id VARCHAR, 
	host VARCHAR NOT NULL, 
	pid INTEGER NOT NULL, 
	process_started VARCHAR NOT NULL, 
	started_at VARCHAR NOT NULL, 
	heartbeat_at VARCHAR NOT NULL, 
	ended_at VARCHAR, 
	balances JSON, 
	PRIMARY KEY (id), 
	FOREIGN KEY(batch_id) REFERENCES seedance_batches (id)
);
INSERT INTO "seedance_runs" VALUES('1eb110a9-98bd-404b-8a67-55839df58302',1,NULL,'vm b58d987e-1e13-4735-8af8-735dbad72aed pid:[4026531836]',29267,'3535874','2026-11-21T18:47:49.834405+00:00','2026-11-21T18:47:49.834405+00:00',NULL,NULL);
CREATE TABLE seedance_sums (
	batch_id INTEGER NOT NULL, 
	currency VARCHAR NOT NULL, 
	committed VARCHAR NOT NULL, 
	PRIMARY KEY (batch_id, currency), 
	FOREIGN KEY(batch_id) REFERENCES seedance_batches (id)
);
INSERT INTO "seedance_sums" VALUES(1,'CNY','1.25');
CREATE INDEX ix_seedance_runs_batch_id ON seedance_runs (batch_id);
CREATE INDEX seedance_rows_by_state ON seedance_rows (batch_id, state);
CREATE INDEX seedance_rows_by_holder ON seedance_rows (holder);
CREATE INDEX ix_seedance_materials_holder ON seedance_materials (holder);
CREATE INDEX ix_seedance_attempts_run_id ON seedance_attempts (run_id);
CREATE INDEX ix_seedance_attempts_row_id ON seedance_attempts (row_id);
CREATE INDEX ix_seedance_attempts_job_id ON seedance_attempts (job_id);
CREATE INDEX ix_seedance_asset_requests_run_id ON seedance_asset_requests (run_id);
CREATE INDEX ix_seedance_asset_requests_material_id ON seedance_asset_requests (material_id);
CREATE INDEX ix_seedance_asset_requests_batch_id ON seedance_asset_requests (batch_id);
COMMIT;
