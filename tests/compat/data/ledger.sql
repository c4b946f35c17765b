-- made_at 2026-11-30T15:27:03.177304+00:00
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
INSERT INTO "seedance_attempts" VALUES(1,1,1,'21b5274e-c346-4348-9b38-fdd38c2ccc12','jimmy','default','seedance2.0-mini','1:e162f5e0c3cc48d52bbf9fb9eab0c8de036af33a3406410cf683a313ca956bd8','2026-11-30T15:21:09.453413+00:00','2026-11-30T15:21:09.533658+00:00','created',200,NULL,NULL,NULL,'vid_18f7ae674967','seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','charged',NULL,'4','0.12','0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(2,2,1,'21b5274e-c346-4348-9b38-fdd38c2ccc12','anyfast','default','seedance-2.0-mini','1:ae8ec5d325daf7055c73a08e76f1d7ba2356a7d97382ef131855e3db938b6a76','2026-11-30T15:21:09.479329+00:00','2026-11-30T15:21:09.544137+00:00','created',200,NULL,NULL,NULL,'cgt-20261130152109-xu98g','seedance-2.0-mini','million_tokens','23','CNY','0.9336735','0.9336735','charged',40595,'0.040595','0.933685','0.9336735','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(3,3,1,'21b5274e-c346-4348-9b38-fdd38c2ccc12','jimmy','default','seedance2.0-mini','1:3d454e4463654a0a20c0f043a5063937d9a9a3ea5ecd23fcd06851756f9340e0','2026-11-30T15:21:09.624950+00:00','2026-11-30T15:21:09.669309+00:00','created',200,NULL,NULL,NULL,'vid_30065900224a','seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','charged',NULL,'4','0.12','0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(4,4,1,'d0d55d60-6a40-4dfa-819e-2199940a18fd','jimmy','default','seedance2.0-mini','1:e162f5e0c3cc48d52bbf9fb9eab0c8de036af33a3406410cf683a313ca956bd8','2026-11-30T15:21:19.379735+00:00','2026-11-30T15:21:19.409068+00:00','created',200,NULL,NULL,NULL,'vid_5a38581f7c13','seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','charged',NULL,'4','0.12','0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(5,5,1,'653f75fb-2401-459a-9e70-a6a2d220dbcf','jimmy','default','seedance2.0-mini','1:6629c7b84bc7508bd1d257ddcc0a20893bc209036bd65ffd2019066a94a0dc12','2026-11-30T15:21:28.155367+00:00','2026-11-30T15:21:28.173195+00:00','created',200,NULL,NULL,NULL,'vid_a62afbe21dcf','seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','charged',NULL,'4','0.12','0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(6,6,1,'4da955ec-0d5a-4f82-9ef6-b35c327a1dec','anyfast','default','seedance-2.0-mini','1:e981d4d72b550b2611be451efee1c8dace06eeb46b38cee8c3bbe7ae55dddda6','2026-11-30T15:21:31.485333+00:00','2026-11-30T15:21:31.548346+00:00','created',200,NULL,NULL,NULL,'cgt-20261130152131-9ovyk','seedance-2.0-mini','million_tokens','23','CNY','0.9336735','0.9336735','charged',40595,'0.040595','0.933685','0.9336735','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(7,7,1,'ba49e191-7971-47a1-982f-30b499569d1b','jimmy','default','seedance2.0-mini','1:b4b4409d35a8478fd31fbf647c191262496f3777a9eb3d65f07c908978aa765b','2026-11-30T15:21:35.812314+00:00','2026-11-30T15:21:36.060475+00:00','created',200,NULL,NULL,NULL,'vid_df43843ecf2b','seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','open',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(8,8,1,'ba49e191-7971-47a1-982f-30b499569d1b','anyfast','default','seedance-2.0-mini','1:5b9e2c8d00b2b374abc2e59708c887f5eec7e3bd9a32398f5bddc9815ab832d3','2026-11-30T15:21:35.873151+00:00','2026-11-30T15:21:36.092774+00:00','created',200,NULL,NULL,NULL,'cgt-20261130152135-zdlb0','seedance-2.0-mini','million_tokens','23','CNY','0.9336735','0.9336735','open',NULL,NULL,NULL,'0.9336735','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(9,9,1,'33ef4e77-7012-4d9f-afc2-7e60e6afc9eb','jimmy','default','seedance2.0-mini','1:35c2bffe33e0f161fbcd611d2f5174d741af60274ec00ccc836c939e7758b48b','2026-11-30T15:21:43.709394+00:00','2026-11-30T15:21:43.769950+00:00','unknown',NULL,'lost-answer','jimmy may have taken this paid call, but its answer was lost: RemoteProtocolError: Server disconnected without sending a response.',NULL,NULL,'seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','unknown',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(10,10,1,'fcee47cb-bdf8-4df6-a961-18099de54e69','jimmy','default','seedance2.0-mini','1:f2cd6321a37ce5310cc64d7695f984b3caf7f672893a3c6563882df719d9d6e4','2026-11-30T15:21:49.812684+00:00','2026-11-30T15:21:49.860403+00:00','unknown',500,'-1','the answer of jimmy (HTTP 500) does not prove whether the job was made: 系统繁忙 (system busy)',NULL,NULL,'seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','unknown',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(11,11,1,'2b62474d-280d-4cd9-9936-5bc1271e0d48','jimmy','default','seedance2.0-mini','1:e5fa94c75a03e28d18abd235c594a2bf463198d11f043a32d17fc7338d2c15e4','2026-11-30T15:21:53.938291+00:00','2026-11-30T15:21:54.021336+00:00','unknown',502,'http-502','the answer of jimmy (HTTP 502) does not prove whether the job was made: <html> <head><title>502 Bad Gateway</title></head> <body> <center><h1>502 Bad Gateway</h1></center> <hr><center>nginx</center> </body> </html>',NULL,'vid_cefc96a53244','seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','open',NULL,NULL,NULL,'0.12','CNY',NULL,'job vid_cefc96a53244','2026-11-30T15:22:07.169690+00:00');
INSERT INTO "seedance_attempts" VALUES(12,12,1,'07f51081-acc3-4522-8e0d-efd529447c9d','jimmy','default','seedance2.0-mini','1:60a9405fa61bb33fecc1b73d16bb2f05d6df64af08b9ba781bc92a9db90c29d3','2026-11-30T15:21:57.376859+00:00','2026-11-30T15:21:57.446675+00:00','unknown',200,'http-200','the answer of jimmy (HTTP 200) does not prove whether the job was made: {"code":0,"msg":"ok","data":{"task_id":"vid_05f0c404e789","statu; it names job task_id":"vid_05f0c404e789, which may exist and cost',NULL,NULL,'seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','charged',NULL,NULL,'0.12','0.12','CNY',NULL,'lost','2026-11-30T15:22:08.733708+00:00');
INSERT INTO "seedance_attempts" VALUES(13,13,1,'6ad64937-a15a-4c1f-90be-30f05a87a893','jimmy','default','seedance2.0-mini','1:92f036cdbdd40fdef8e31e56eb38195990dc2d769aff086ea85564224d7c700b','2026-11-30T15:22:02.960014+00:00','2026-11-30T15:22:03.029616+00:00','unknown',NULL,'lost-answer','jimmy may have taken this paid call, but its answer was lost: RemoteProtocolError: Server disconnected without sending a response.',NULL,NULL,'seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','nothing',NULL,NULL,NULL,'0.12','CNY',NULL,'not_made','2026-11-30T15:22:10.177658+00:00');
INSERT INTO "seedance_attempts" VALUES(14,14,1,'17d9af85-05c7-4edf-8747-1b98c34b629d','jimmy','default','seedance2.0-mini','1:840c061b41f0d65101080886899175d17a66dedebea13ed0caf1b17db6980fc2','2026-11-30T15:22:13.658706+00:00','2026-11-30T15:22:13.705915+00:00','created',200,NULL,NULL,NULL,'vid_f5318699f403','seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','undocumented',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(15,16,1,'61098880-fb7e-4b46-b8f3-456799b0968b','jimmy','default','seedance2.0-mini','1:d47715f70fd241771e474995d66030c23f05d125b4eceea2f1d7cca28ca0b1dd','2026-11-30T15:22:17.726316+00:00','2026-11-30T15:22:17.744365+00:00','created',200,NULL,NULL,NULL,'vid_6c9f189fa98d','seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','undocumented',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(16,17,1,'0cafb50f-a2ae-4e9a-b840-c562af4571fb','jimmy','default','seedance2.0-mini','1:6f7abde2f0d8880266c772a16f8c3e5bca78041ddcae95c4064e2437b4ec155a','2026-11-30T15:22:22.013153+00:00','2026-11-30T15:22:22.065572+00:00','created',200,NULL,NULL,NULL,'vid_46ad9e6557e5','seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','charged',NULL,'4','0.12','0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(17,18,1,'c16917f9-53b2-4505-bcc9-dec61a8d06ba','anyfast','default','seedance-2.0-mini','1:9325fc1a92513425bf52fdc19b2bf9c0aab0eab7f9108ef280b7989813977a25','2026-11-30T15:22:26.393606+00:00','2026-11-30T15:22:26.409063+00:00','refused',400,'invalid_request','anyfast refused: content[1]: [NotFound.asset_id] asset asset-of-somebody not found',NULL,NULL,'seedance-2.0-mini','million_tokens','23','CNY','0.9336735','0.9336735','nothing',NULL,NULL,NULL,'0.9336735','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(18,19,1,'c16917f9-53b2-4505-bcc9-dec61a8d06ba','anyfast','default','seedance-2.0-mini','1:ace1a70953756c81723e862e9fa96f786a4aa568e23d453d011b1f4d3de1d017','2026-11-30T15:22:26.395742+00:00','2026-11-30T15:22:26.410389+00:00','refused',400,'InputTextSensitiveContentDetected','anyfast refused: fail_to_fetch_task: The request failed because the input text may contain sensitive information.',NULL,NULL,'seedance-2.0-mini','million_tokens','23','CNY','0.9336735','0.9336735','nothing',NULL,NULL,NULL,'0.9336735','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(19,22,1,'0c195074-8674-4323-99d0-9ed9a902e247','jimmy','default','seedance2.0-mini','1:0db09a5d8fd151fac160d49e3e44c5de65366dc5a4d9a5b6eea5ac7b85e050db','2026-11-30T15:22:37.233890+00:00','2026-11-30T15:22:37.242559+00:00','refused',401,'20001','The API key of jimmy/default is not accepted; check the key in its credentials. jimmy refused: 认证失败 (authentication failed)',NULL,NULL,'seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','nothing',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(20,23,1,'7d123bd0-a5b6-454e-b72f-c6aa6805a31a','jimmy','default','seedance2.0-mini','1:994e7066d8db8f7befba49ae582b8db9dc2f090eb3bef94add01957332b6d5bd','2026-11-30T15:22:40.734129+00:00','2026-11-30T15:22:40.749911+00:00','refused',400,'20002','jimmy refused: 余额不足 (insufficient balance)',NULL,NULL,'seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','nothing',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(21,24,1,'3b52cbbe-ff1f-4bd7-870c-c3900a69d2a1','jimmy','default','seedance2.0-mini','1:dc03aab217e43582232c56a2bd0adb9961593e34db7533796fd82ede1d5f31ae','2026-11-30T15:22:43.692376+00:00','2026-11-30T15:22:43.726368+00:00','refused',429,'429','jimmy takes no more for now (asks to wait 1 s): 请求过于频繁 (too many requests)',NULL,NULL,'seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','nothing',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(22,24,2,'3b52cbbe-ff1f-4bd7-870c-c3900a69d2a1','jimmy','default','seedance2.0-mini','1:dc03aab217e43582232c56a2bd0adb9961593e34db7533796fd82ede1d5f31ae','2026-11-30T15:22:44.744173+00:00','2026-11-30T15:22:44.757381+00:00','refused',429,'429','jimmy takes no more for now (asks to wait 1 s): 请求过于频繁 (too many requests)',NULL,NULL,'seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','nothing',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(23,24,3,'3b52cbbe-ff1f-4bd7-870c-c3900a69d2a1','jimmy','default','seedance2.0-mini','1:dc03aab217e43582232c56a2bd0adb9961593e34db7533796fd82ede1d5f31ae','2026-11-30T15:22:46.770514+00:00','2026-11-30T15:22:46.781257+00:00','refused',429,'429','jimmy takes no more for now (asks to wait 1 s): 请求过于频繁 (too many requests)',NULL,NULL,'seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','nothing',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(24,24,4,'3b52cbbe-ff1f-4bd7-870c-c3900a69d2a1','jimmy','default','seedance2.0-mini','1:dc03aab217e43582232c56a2bd0adb9961593e34db7533796fd82ede1d5f31ae','2026-11-30T15:22:51.792170+00:00','2026-11-30T15:22:51.807982+00:00','refused',429,'429','jimmy takes no more for now (asks to wait 1 s): 请求过于频繁 (too many requests)',NULL,NULL,'seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','nothing',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(25,24,5,'3b52cbbe-ff1f-4bd7-870c-c3900a69d2a1','jimmy','default','seedance2.0-mini','1:dc03aab217e43582232c56a2bd0adb9961593e34db7533796fd82ede1d5f31ae','2026-11-30T15:23:01.814874+00:00','2026-11-30T15:23:01.825799+00:00','refused',429,'429','jimmy takes no more for now (asks to wait 1 s): 请求过于频繁 (too many requests)',NULL,NULL,'seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','nothing',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(26,24,6,'3b52cbbe-ff1f-4bd7-870c-c3900a69d2a1','jimmy','default','seedance2.0-mini','1:dc03aab217e43582232c56a2bd0adb9961593e34db7533796fd82ede1d5f31ae','2026-11-30T15:23:31.839747+00:00','2026-11-30T15:23:31.903288+00:00','refused',429,'429','jimmy takes no more for now (asks to wait 1 s): 请求过于频繁 (too many requests)',NULL,NULL,'seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','nothing',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(27,25,1,'a49a0bb6-56e6-4731-91f3-6bfc6c1d8b2a','anyfast','default','seedance-2.0-mini','1:4ce52cc5206fe4690c5f2e8f4a9715062100f60dc6cd2d9114db9af60b66d903','2026-11-30T15:23:38.051891+00:00','2026-11-30T15:23:38.136507+00:00','refused',NULL,NULL,'no connection to anyfast: ConnectError: All connection attempts failed; nothing was sent',NULL,NULL,'seedance-2.0-mini','million_tokens','23','CNY','0.9336735','0.9336735','nothing',NULL,NULL,NULL,'0.9336735','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(28,25,2,'a49a0bb6-56e6-4731-91f3-6bfc6c1d8b2a','anyfast','default','seedance-2.0-mini','1:4ce52cc5206fe4690c5f2e8f4a9715062100f60dc6cd2d9114db9af60b66d903','2026-11-30T15:23:39.176247+00:00','2026-11-30T15:23:39.189868+00:00','refused',NULL,NULL,'no connection to anyfast: ConnectError: All connection attempts failed; nothing was sent',NULL,NULL,'seedance-2.0-mini','million_tokens','23','CNY','0.9336735','0.9336735','nothing',NULL,NULL,NULL,'0.9336735','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(29,25,3,'a49a0bb6-56e6-4731-91f3-6bfc6c1d8b2a','anyfast','default','seedance-2.0-mini','1:4ce52cc5206fe4690c5f2e8f4a9715062100f60dc6cd2d9114db9af60b66d903','2026-11-30T15:23:41.224063+00:00','2026-11-30T15:23:41.235530+00:00','refused',NULL,NULL,'no connection to anyfast: ConnectError: All connection attempts failed; nothing was sent',NULL,NULL,'seedance-2.0-mini','million_tokens','23','CNY','0.9336735','0.9336735','nothing',NULL,NULL,NULL,'0.9336735','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(30,25,4,'a49a0bb6-56e6-4731-91f3-6bfc6c1d8b2a','anyfast','default','seedance-2.0-mini','1:4ce52cc5206fe4690c5f2e8f4a9715062100f60dc6cd2d9114db9af60b66d903','2026-11-30T15:23:46.248311+00:00','2026-11-30T15:23:46.257381+00:00','refused',NULL,NULL,'no connection to anyfast: ConnectError: All connection attempts failed; nothing was sent',NULL,NULL,'seedance-2.0-mini','million_tokens','23','CNY','0.9336735','0.9336735','nothing',NULL,NULL,NULL,'0.9336735','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(31,25,5,'a49a0bb6-56e6-4731-91f3-6bfc6c1d8b2a','anyfast','default','seedance-2.0-mini','1:4ce52cc5206fe4690c5f2e8f4a9715062100f60dc6cd2d9114db9af60b66d903','2026-11-30T15:23:56.292956+00:00','2026-11-30T15:23:56.300478+00:00','refused',NULL,NULL,'no connection to anyfast: ConnectError: All connection attempts failed; nothing was sent',NULL,NULL,'seedance-2.0-mini','million_tokens','23','CNY','0.9336735','0.9336735','nothing',NULL,NULL,NULL,'0.9336735','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(32,25,6,'a49a0bb6-56e6-4731-91f3-6bfc6c1d8b2a','anyfast','default','seedance-2.0-mini','1:4ce52cc5206fe4690c5f2e8f4a9715062100f60dc6cd2d9114db9af60b66d903','2026-11-30T15:24:26.313789+00:00','2026-11-30T15:24:26.328994+00:00','refused',NULL,NULL,'no connection to anyfast: ConnectError: All connection attempts failed; nothing was sent',NULL,NULL,'seedance-2.0-mini','million_tokens','23','CNY','0.9336735','0.9336735','nothing',NULL,NULL,NULL,'0.9336735','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(33,26,1,'0a3f15d2-2104-463d-84c6-d96ca9967634','jimmy','default','seedance2.0-mini','1:5100bd91d19efdd611312034d70f85517a8a63103dfa21eb5b04e2e62bc28907','2026-11-30T15:25:33.683033+00:00','2026-11-30T15:25:33.740633+00:00','created',200,NULL,NULL,NULL,'vid_a99bac45373f','seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','open',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(34,27,1,'66dbcb97-77cd-4d51-91ee-33d656749dfa','jimmy','default','seedance2.0-mini','1:7966e885c68e39b0664b08e0e9ff6182cca604b37df989daa6c04f6a6389fc07','2026-11-30T15:26:35.053486+00:00',NULL,'sent',NULL,NULL,NULL,NULL,NULL,'seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','open',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(35,29,1,'a5a456dc-6c28-4507-807c-175322c7e771','jimmy','default','seedance2.0-mini','1:d8bac168ddf439d1a0acfd8ab5d1a26c9248d5c048bffa9ddb0072379e256375','2026-11-30T15:26:38.928638+00:00','2026-11-30T15:26:38.984905+00:00','created',200,NULL,NULL,NULL,'vid_c16c833b53bd','seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','charged',NULL,'4','0.12','0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(36,30,1,'7b64107b-0327-4ad6-b5f6-804fb619956b','jimmy','default','seedance2.0-mini','1:fc2e14064d1cdb1059fa39ed99e2836d0f57348ae55aa01d153a6e453c3465ac','2026-11-30T15:26:43.370874+00:00','2026-11-30T15:26:43.381290+00:00','created',200,NULL,NULL,NULL,'vid_95df380f68e1','seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','charged',NULL,'4','0.12','0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(37,31,1,'9e19086b-d81f-4f99-862e-23aaeb570f4b','jimmy','default','seedance2.0-mini','1:699fbde5d84078f78e92c5d207600fbd9126a8857e1e42dc48ba612939137c86','2026-11-30T15:26:44.881649+00:00','2026-11-30T15:26:44.893750+00:00','created',200,NULL,NULL,NULL,'vid_2e2b8ca8f750','seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','open',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(38,32,1,'0c6ec6f6-1931-446a-b468-710bd5f23da0','jimmy','default','seedance2.0-mini','1:c0e2eaaadba730e1aee8b38ebfacaf137cd5af123494e613fa61cb4c17caaded','2026-11-30T15:26:49.780132+00:00','2026-11-30T15:26:49.867271+00:00','created',200,NULL,NULL,NULL,'vid_26b342e86c81','seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','undocumented',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(39,33,1,'d65ace7d-35c6-4e8b-97b3-86cd19defeb4','anyfast','default','seedance-2.0-mini','1:e6fb118025d403f622d286b534cec76e7714d1f1085d316d785c2e46bdc1fdab','2026-11-30T15:26:55.111040+00:00','2026-11-30T15:26:55.127182+00:00','refused',400,'InputTextSensitiveContentDetected','anyfast refused: fail_to_fetch_task: The request failed because the input text may contain sensitive information.',NULL,NULL,'seedance-2.0-mini','million_tokens','23','CNY','0.9336735','0.9336735','nothing',NULL,NULL,NULL,'0.9336735','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(40,34,1,'a345b94e-587b-42d7-82fd-5ee58705ec9e','jimmy','default','seedance2.0-mini','1:2307186af4d44a646aa78769921b799ae8a26180ff3d499bd5d48f27b48f0a1b','2026-11-30T15:26:56.810968+00:00','2026-11-30T15:26:56.840381+00:00','unknown',NULL,'lost-answer','jimmy may have taken this paid call, but its answer was lost: RemoteProtocolError: Server disconnected without sending a response.',NULL,NULL,'seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','unknown',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(41,35,1,'353a7a0c-47ee-460f-a3ec-2c95072bf5dc','jimmy','default','seedance2.0-mini','1:e8cdfd4d5bc0c4b1aef57492bbfec43be13273e949c48b1e2a0408e11cf31184','2026-11-30T15:26:58.758178+00:00','2026-11-30T15:26:58.836050+00:00','created',200,NULL,NULL,NULL,'vid_0366f2aa81cf','seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','undocumented',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
INSERT INTO "seedance_attempts" VALUES(42,36,1,'81e5839b-d690-4d49-a3da-9fd8ca296b86','jimmy','default','seedance2.0-mini','1:7956893738e15cf9b39080bfd32fd3d4a599a04a6c8db9497ded00f9d17df401','2026-11-30T15:27:01.250276+00:00','2026-11-30T15:27:01.280838+00:00','created',200,NULL,NULL,NULL,'vid_21b6f37a0c05','seedance2.0-mini-480p','second','0.03','CNY','0.12','0.12','open',NULL,NULL,NULL,'0.12','CNY',NULL,NULL,NULL);
CREATE TABLE seedance_batches (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	pruned_at VARCHAR, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "seedance_batches" VALUES(1,'spring','2026-11-30T15:21:09.152508+00:00',NULL);
INSERT INTO "seedance_batches" VALUES(2,'by hand','2026-11-30T15:26:38.656334+00:00',NULL);
INSERT INTO "seedance_batches" VALUES(3,'errors','2026-11-30T15:26:49.620972+00:00',NULL);
CREATE TABLE seedance_book (
	name VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "seedance_book" VALUES('identity','9dafbc50-b7eb-4e9f-8a8c-294f5f32961b');
INSERT INTO "seedance_book" VALUES('version','3');
CREATE TABLE seedance_limits (
	provider VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	found FLOAT, 
	open_at VARCHAR, 
	PRIMARY KEY (provider, account)
);
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
INSERT INTO "seedance_materials" VALUES(1,'jimmy','default','link','image','f9fab12b6fc1ae815065a11e8a6e579d45c8a961084ec54990fb33f50b23cd51','cup.png','ready',NULL,NULL,'{sandbox}/_uploads/ea2e15c9abd5d085/cup.png',NULL,NULL,NULL,1,25115,'2026-11-30T15:21:09.536982+00:00','2026-12-03T15:21:09.536982+00:00','2026-11-30T15:21:09.545836+00:00');
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
	passed VARCHAR, 
	meant JSON, 
	wanted_by VARCHAR, 
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
INSERT INTO "seedance_rows" VALUES(1,1,'1','stored','1:e162f5e0c3cc48d52bbf9fb9eab0c8de036af33a3406410cf683a313ca956bd8','{"prompt": "a lantern, stored", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','stored',NULL,1,'stored','stored','{home}/videos/spring','{home}/videos/spring/stored.mp4','4c7be07de1af9038585742f7b1a1230519d8e488c0420dd05131b02d7678bedf',45858,1796052071068662057,NULL,864,496,'4.000',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:21:09.212779+00:00','2026-11-30T15:21:09.851204+00:00','2026-11-30T15:21:11.643986+00:00','2026-12-03T15:21:09.000000+00:00','2026-11-30T15:21:11.644001+00:00');
INSERT INTO "seedance_rows" VALUES(2,1,'1','stored-anyfast','1:ae8ec5d325daf7055c73a08e76f1d7ba2356a7d97382ef131855e3db938b6a76','{"prompt": "a lantern, stored-anyfast", "duration": 4, "resolution": "480p", "ratio": "16:9"}','anyfast','default','seedance-2.0-mini','stored',NULL,2,'stored-anyfast','stored-anyfast','{home}/videos/spring','{home}/videos/spring/stored-anyfast.mp4','5e789bbf4286b59ff18fae7ab4138e80d5a871de09a93a7fb1222cd516dad847',45662,1796052072151214647,NULL,864,496,'4.000',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:21:09.212779+00:00','2026-11-30T15:21:10.146521+00:00','2026-11-30T15:21:12.508602+00:00','2026-12-01T15:21:09.000000+00:00','2026-11-30T15:21:12.508614+00:00');
INSERT INTO "seedance_rows" VALUES(3,1,'1','stored-picture','1:3d454e4463654a0a20c0f043a5063937d9a9a3ea5ecd23fcd06851756f9340e0','{"prompt": "a lantern, stored-picture", "duration": 4, "resolution": "480p", "ratio": "16:9", "images": ["pictures/cup.png"]}','jimmy','default','seedance2.0-mini','stored',NULL,3,'stored-picture','stored-picture','{home}/videos/spring','{home}/videos/spring/stored-picture.mp4','9991441c73457f8612a7691f53e6ca1a83ecc5a883719b418f1f3eafb013e276',45858,1796052072155560633,NULL,864,496,'4.000',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:21:09.212779+00:00','2026-11-30T15:21:10.147013+00:00','2026-11-30T15:21:12.523045+00:00','2026-12-03T15:21:10.000000+00:00','2026-11-30T15:21:12.523058+00:00');
INSERT INTO "seedance_rows" VALUES(4,1,'2','stored','1:e162f5e0c3cc48d52bbf9fb9eab0c8de036af33a3406410cf683a313ca956bd8','{"prompt": "a lantern, stored", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','stored',NULL,4,'stored.take-2','stored.take-2','{home}/videos/spring','{home}/videos/spring/stored.take-2.mp4','701089e5b508f9c1a23b5425d0e0c74f66d530fc949094008cd52d023785268e',45662,1796052079974823216,NULL,864,496,'4.000',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:21:19.294679+00:00','2026-11-30T15:21:19.786806+00:00','2026-11-30T15:21:20.120686+00:00','2026-12-03T15:21:19.000000+00:00','2026-11-30T15:21:20.120700+00:00');
INSERT INTO "seedance_rows" VALUES(5,1,'1','succeeded','1:6629c7b84bc7508bd1d257ddcc0a20893bc209036bd65ffd2019066a94a0dc12','{"prompt": "a lantern, succeeded", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','succeeded',NULL,5,'succeeded','succeeded','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:21:28.128878+00:00','2026-11-30T15:21:29.009246+00:00',NULL,'2026-12-03T15:21:28.000000+00:00','2026-11-30T15:21:29.009260+00:00');
INSERT INTO "seedance_rows" VALUES(6,1,'1','succeeded-anyfast','1:e981d4d72b550b2611be451efee1c8dace06eeb46b38cee8c3bbe7ae55dddda6','{"prompt": "a lantern, succeeded-anyfast", "duration": 4, "resolution": "480p", "ratio": "16:9"}','anyfast','default','seedance-2.0-mini','succeeded',NULL,6,'succeeded-anyfast','succeeded-anyfast','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:21:31.281602+00:00','2026-11-30T15:21:32.640283+00:00',NULL,'2026-12-01T15:21:31.000000+00:00','2026-11-30T15:21:32.640297+00:00');
INSERT INTO "seedance_rows" VALUES(7,1,'1','created','1:b4b4409d35a8478fd31fbf647c191262496f3777a9eb3d65f07c908978aa765b','{"prompt": "a lantern, created", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','created',NULL,7,'created','created','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:21:35.612700+00:00',NULL,NULL,NULL,'2026-11-30T15:21:36.077527+00:00');
INSERT INTO "seedance_rows" VALUES(8,1,'1','created-anyfast','1:5b9e2c8d00b2b374abc2e59708c887f5eec7e3bd9a32398f5bddc9815ab832d3','{"prompt": "a lantern, created-anyfast", "duration": 4, "resolution": "480p", "ratio": "16:9"}','anyfast','default','seedance-2.0-mini','created',NULL,8,'created-anyfast','created-anyfast','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:21:35.612700+00:00',NULL,NULL,NULL,'2026-11-30T15:21:36.092922+00:00');
INSERT INTO "seedance_rows" VALUES(9,1,'1','unknown-paid','1:35c2bffe33e0f161fbcd611d2f5174d741af60274ec00ccc836c939e7758b48b','{"prompt": "a lantern, unknown-paid", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','unknown',NULL,9,'unknown-paid','unknown-paid','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'UnknownOutcome','lost-answer','jimmy may have taken this paid call, but its answer was lost: RemoteProtocolError: Server disconnected without sending a response.','2026-11-30T15:21:43.428226+00:00',NULL,NULL,NULL,'2026-11-30T15:21:43.770843+00:00');
INSERT INTO "seedance_rows" VALUES(10,1,'1','unknown-unpaid','1:f2cd6321a37ce5310cc64d7695f984b3caf7f672893a3c6563882df719d9d6e4','{"prompt": "a lantern, unknown-unpaid", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','unknown',NULL,10,'unknown-unpaid','unknown-unpaid','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'UnknownOutcome','-1','the answer of jimmy (HTTP 500) does not prove whether the job was made: 系统繁忙 (system busy)','2026-11-30T15:21:49.671688+00:00',NULL,NULL,NULL,'2026-11-30T15:21:49.861250+00:00');
INSERT INTO "seedance_rows" VALUES(11,1,'1','created-found','1:e5fa94c75a03e28d18abd235c594a2bf463198d11f043a32d17fc7338d2c15e4','{"prompt": "a lantern, created-found", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','created',NULL,11,'created-found','created-found','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:21:53.830488+00:00',NULL,NULL,NULL,'2026-11-30T15:22:07.170755+00:00');
INSERT INTO "seedance_rows" VALUES(12,1,'1','lost','1:60a9405fa61bb33fecc1b73d16bb2f05d6df64af08b9ba781bc92a9db90c29d3','{"prompt": "a lantern, lost", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','failed',NULL,12,'lost','lost','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Lost','lost','Made and lost, as a person found out; its cost is counted.','2026-11-30T15:21:57.332528+00:00',NULL,NULL,NULL,'2026-11-30T15:22:08.734735+00:00');
INSERT INTO "seedance_rows" VALUES(13,1,'1','planned-again','1:92f036cdbdd40fdef8e31e56eb38195990dc2d769aff086ea85564224d7c700b','{"prompt": "a lantern, planned-again", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','planned',NULL,13,'planned-again','planned-again','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:22:02.793537+00:00',NULL,NULL,NULL,'2026-11-30T15:22:10.178916+00:00');
INSERT INTO "seedance_rows" VALUES(14,1,'1','failed','1:840c061b41f0d65101080886899175d17a66dedebea13ed0caf1b17db6980fc2','{"prompt": "a lantern, failed", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','failed',NULL,14,'failed','failed','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'JobFailed',NULL,'video generation failed','2026-11-30T15:22:13.569775+00:00','2026-11-30T15:22:14.113876+00:00',NULL,NULL,'2026-11-30T15:22:14.113895+00:00');
INSERT INTO "seedance_rows" VALUES(15,1,'1','planned','1:c3b6bfe6730c80df7cc87a9a4368383f8f7fc804e323af8347501e25e3f5efab','{"prompt": "a lantern, planned", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','planned',NULL,NULL,'planned','planned','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:22:13.569775+00:00',NULL,NULL,NULL,'2026-11-30T15:22:13.569775+00:00');
INSERT INTO "seedance_rows" VALUES(16,1,'1','failed-moderated','1:d47715f70fd241771e474995d66030c23f05d125b4eceea2f1d7cca28ca0b1dd','{"prompt": "a lantern, failed-moderated", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','failed',NULL,15,'failed-moderated','failed-moderated','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Moderated','PROVIDER_MODERATION_ERROR','PROVIDER_MODERATION_ERROR: TRADEMARK','2026-11-30T15:22:17.665397+00:00','2026-11-30T15:22:18.165511+00:00',NULL,NULL,'2026-11-30T15:22:18.165526+00:00');
INSERT INTO "seedance_rows" VALUES(17,1,'1','expired','1:6f7abde2f0d8880266c772a16f8c3e5bca78041ddcae95c4064e2437b4ec155a','{"prompt": "a lantern, expired", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','expired',NULL,16,'expired','expired','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Gone','http_403','Made, paid, expired: The server no longer gives out this result (HTTP 403): {sandbox}/_files/vid_46ad9e6557e5.mp4. Its job is vid_46ad9e6557e5.','2026-11-30T15:22:21.910712+00:00','2026-11-30T15:22:22.455777+00:00',NULL,'2026-12-03T15:22:22.000000+00:00','2026-11-30T15:22:22.672219+00:00');
INSERT INTO "seedance_rows" VALUES(18,1,'1','refused','1:9325fc1a92513425bf52fdc19b2bf9c0aab0eab7f9108ef280b7989813977a25','{"prompt": "a lantern, refused", "duration": 4, "resolution": "480p", "ratio": "16:9", "images": ["asset://asset-of-somebody"]}','anyfast','default','seedance-2.0-mini','refused',NULL,17,'refused','refused','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Refused','invalid_request','anyfast refused: content[1]: [NotFound.asset_id] asset asset-of-somebody not found','2026-11-30T15:22:26.353073+00:00',NULL,NULL,NULL,'2026-11-30T15:22:26.409484+00:00');
INSERT INTO "seedance_rows" VALUES(19,1,'1','refused-moderated','1:ace1a70953756c81723e862e9fa96f786a4aa568e23d453d011b1f4d3de1d017','{"prompt": "Mickey Mouse", "duration": 4, "resolution": "480p", "ratio": "16:9"}','anyfast','default','seedance-2.0-mini','refused',NULL,18,'refused-moderated','refused-moderated','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Moderated','InputTextSensitiveContentDetected','anyfast refused: fail_to_fetch_task: The request failed because the input text may contain sensitive information.','2026-11-30T15:22:26.353073+00:00',NULL,NULL,NULL,'2026-11-30T15:22:26.410444+00:00');
INSERT INTO "seedance_rows" VALUES(20,1,'1','over-budget','1:477756ce64559d354123a68446f3bbf959d01786644bae4df03bcff03b71fb3d','{"prompt": "a lantern, over-budget", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','over_budget',NULL,NULL,'over-budget','over-budget','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'OverBudget',NULL,'Its worst case of 0.12 CNY does not fit into what is left of the budget of 0.01 CNY.','2026-11-30T15:22:29.489643+00:00',NULL,NULL,NULL,'2026-11-30T15:22:29.601474+00:00');
INSERT INTO "seedance_rows" VALUES(21,1,'1','deferred-picture','1:256f65bd20ec73c2a455e88b088f13d8b7c51ed63c53d23b09b72bc5458a5567','{"prompt": "a lantern, deferred-picture", "duration": 4, "resolution": "480p", "ratio": "16:9", "images": ["pictures/bowl.png"]}','jimmy','default','seedance2.0-mini','deferred',NULL,NULL,'deferred-picture','deferred-picture','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'UserMistake','no_such_file','There is no file ''pictures/bowl.png'' in {home}. Nothing was spent.','2026-11-30T15:22:32.755470+00:00',NULL,NULL,NULL,'2026-11-30T15:22:33.845662+00:00');
INSERT INTO "seedance_rows" VALUES(22,1,'1','deferred-key','1:0db09a5d8fd151fac160d49e3e44c5de65366dc5a4d9a5b6eea5ac7b85e050db','{"prompt": "a lantern, deferred-key", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','deferred',NULL,19,'deferred-key','deferred-key','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'BadKey','20001','The API key of jimmy/default is not accepted; check the key in its credentials. jimmy refused: 认证失败 (authentication failed)','2026-11-30T15:22:37.197091+00:00',NULL,NULL,NULL,'2026-11-30T15:22:37.243023+00:00');
INSERT INTO "seedance_rows" VALUES(23,1,'1','deferred-funds','1:994e7066d8db8f7befba49ae582b8db9dc2f090eb3bef94add01957332b6d5bd','{"prompt": "a lantern, deferred-funds", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','deferred',NULL,20,'deferred-funds','deferred-funds','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'OutOfFunds','20002','jimmy refused: 余额不足 (insufficient balance)','2026-11-30T15:22:40.652386+00:00',NULL,NULL,NULL,'2026-11-30T15:22:40.750374+00:00');
INSERT INTO "seedance_rows" VALUES(24,1,'1','deferred-limit','1:dc03aab217e43582232c56a2bd0adb9961593e34db7533796fd82ede1d5f31ae','{"prompt": "a lantern, deferred-limit", "duration": 4, "resolution": "480p", "ratio": "16:9", "images": ["pictures/cup.png"]}','jimmy','default','seedance2.0-mini','deferred',NULL,26,'deferred-limit','deferred-limit','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'RateLimited','429','jimmy takes no more for now (asks to wait 1 s): 请求过于频繁 (too many requests)','2026-11-30T15:22:43.602440+00:00',NULL,NULL,NULL,'2026-11-30T15:23:31.903452+00:00');
INSERT INTO "seedance_rows" VALUES(25,1,'1','deferred-offline','1:4ce52cc5206fe4690c5f2e8f4a9715062100f60dc6cd2d9114db9af60b66d903','{"prompt": "a lantern, deferred-offline", "duration": 4, "resolution": "480p", "ratio": "16:9"}','anyfast','default','seedance-2.0-mini','deferred',NULL,32,'deferred-offline','deferred-offline','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Unreachable',NULL,'no connection to anyfast: ConnectError: All connection attempts failed; nothing was sent','2026-11-30T15:23:37.866689+00:00',NULL,NULL,NULL,'2026-11-30T15:24:26.329675+00:00');
INSERT INTO "seedance_rows" VALUES(26,1,'1','created-held','1:5100bd91d19efdd611312034d70f85517a8a63103dfa21eb5b04e2e62bc28907','{"prompt": "a lantern, created-held", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','created',NULL,33,'created-held','created-held','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:25:33.518925+00:00',NULL,NULL,NULL,'2026-11-30T15:25:33.741315+00:00');
INSERT INTO "seedance_rows" VALUES(27,1,'1','sent','1:7966e885c68e39b0664b08e0e9ff6182cca604b37df989daa6c04f6a6389fc07','{"prompt": "a lantern, sent", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','sent','66dbcb97-77cd-4d51-91ee-33d656749dfa',34,'sent','sent','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:26:34.725681+00:00',NULL,NULL,NULL,'2026-11-30T15:26:35.058897+00:00');
INSERT INTO "seedance_rows" VALUES(28,1,'1','planned-held','1:c39dec78ad8cb8a26a56b754cc12a2c476df0d0128d71692ed73db0d991a11ae','{"prompt": "a lantern, planned-held", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','planned','66dbcb97-77cd-4d51-91ee-33d656749dfa',NULL,'planned-held','planned-held','{home}/videos/spring',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:26:34.725681+00:00',NULL,NULL,NULL,'2026-11-30T15:26:34.725681+00:00');
INSERT INTO "seedance_rows" VALUES(29,2,'1','stored','1:d8bac168ddf439d1a0acfd8ab5d1a26c9248d5c048bffa9ddb0072379e256375','{"prompt": "hung up", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','stored',NULL,35,'stored','stored','{home}/videos/by-hand-c9616cb5','{home}/videos/by-hand-c9616cb5/stored.mp4','20cdf17d1a0fa0c0eb11b30853bd27524b6e4392f97fb2210a9ee24e86860ab8',46670,1796052402577673828,NULL,864,496,'4.000',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:26:38.727783+00:00','2026-11-30T15:26:39.929322+00:00','2026-11-30T15:26:42.788223+00:00','2026-12-03T15:26:39.000000+00:00','2026-11-30T15:26:42.788239+00:00');
INSERT INTO "seedance_rows" VALUES(30,2,'1','succeeded','1:fc2e14064d1cdb1059fa39ed99e2836d0f57348ae55aa01d153a6e453c3465ac','{"prompt": "lit", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','succeeded',NULL,36,'succeeded','succeeded','{home}/videos/by-hand-c9616cb5',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:26:43.319452+00:00','2026-11-30T15:26:43.969952+00:00',NULL,'2026-12-03T15:26:43.000000+00:00','2026-11-30T15:26:43.969965+00:00');
INSERT INTO "seedance_rows" VALUES(31,2,'1','created','1:699fbde5d84078f78e92c5d207600fbd9126a8857e1e42dc48ba612939137c86','{"prompt": "folded", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','created',NULL,37,'created','created','{home}/videos/by-hand-c9616cb5',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:26:44.754231+00:00',NULL,NULL,NULL,'2026-11-30T15:26:44.894269+00:00');
INSERT INTO "seedance_rows" VALUES(32,3,'1','r-60f9218c0f2d','1:c0e2eaaadba730e1aee8b38ebfacaf137cd5af123494e613fa61cb4c17caaded','{"prompt": "Mickey Mouse", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','failed',NULL,38,'r-60f9218c0f2d','r-60f9218c0f2d','{home}/videos/errors',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Moderated','PROVIDER_MODERATION_ERROR','PROVIDER_MODERATION_ERROR: TRADEMARK','2026-11-30T15:26:49.669323+00:00','2026-11-30T15:26:50.162797+00:00',NULL,NULL,'2026-11-30T15:26:50.162814+00:00');
INSERT INTO "seedance_rows" VALUES(33,3,'1','r-b96c186cc949','1:e6fb118025d403f622d286b534cec76e7714d1f1085d316d785c2e46bdc1fdab','{"prompt": "米老鼠", "duration": 4, "resolution": "480p", "ratio": "16:9"}','anyfast','default','seedance-2.0-mini','refused',NULL,39,'r-b96c186cc949','r-b96c186cc949','{home}/videos/errors',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Moderated','InputTextSensitiveContentDetected','anyfast refused: fail_to_fetch_task: The request failed because the input text may contain sensitive information.','2026-11-30T15:26:55.026249+00:00',NULL,NULL,NULL,'2026-11-30T15:26:55.128126+00:00');
INSERT INTO "seedance_rows" VALUES(34,3,'1','r-59dae4696e94','1:2307186af4d44a646aa78769921b799ae8a26180ff3d499bd5d48f27b48f0a1b','{"prompt": "cut_after", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','unknown',NULL,40,'r-59dae4696e94','r-59dae4696e94','{home}/videos/errors',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'UnknownOutcome','lost-answer','jimmy may have taken this paid call, but its answer was lost: RemoteProtocolError: Server disconnected without sending a response.','2026-11-30T15:26:56.720705+00:00',NULL,NULL,NULL,'2026-11-30T15:26:56.841254+00:00');
INSERT INTO "seedance_rows" VALUES(35,3,'1','r-b07a64378035','1:e8cdfd4d5bc0c4b1aef57492bbfec43be13273e949c48b1e2a0408e11cf31184','{"prompt": "failed", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','failed',NULL,41,'r-b07a64378035','r-b07a64378035','{home}/videos/errors',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'JobFailed',NULL,'video generation failed','2026-11-30T15:26:58.666121+00:00','2026-11-30T15:26:59.653888+00:00',NULL,NULL,'2026-11-30T15:26:59.653902+00:00');
INSERT INTO "seedance_rows" VALUES(36,3,'1','still','1:7956893738e15cf9b39080bfd32fd3d4a599a04a6c8db9497ded00f9d17df401','{"prompt": "x", "duration": 4, "resolution": "480p", "ratio": "16:9"}','jimmy','default','seedance2.0-mini','created',NULL,42,'still','still','{home}/videos/errors',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-30T15:27:01.184514+00:00',NULL,NULL,NULL,'2026-11-30T15:27:01.281907+00:00');
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
	lease FLOAT, 
	buried_at VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(batch_id) REFERENCES seedance_batches (id)
);
INSERT INTO "seedance_runs" VALUES('21b5274e-c346-4348-9b38-fdd38c2ccc12',1,'b72f419b-e9b6-4220-b1f6-c7343448e404','earlier-machine',4468,'172040','2026-11-30T15:21:09.153825+00:00','2026-11-30T15:21:09.236306+00:00','2026-11-30T15:21:12.736006+00:00','{"before": {"jimmy/default": {"balance": "10000", "used_coin": "0", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0", "available_quota": "0", "unlimited": "true"}}, "after": {"jimmy/default": {"balance": "10000.24", "used_coin": "0.24", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0.24", "available_quota": "0", "unlimited": "true"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('d0d55d60-6a40-4dfa-819e-2199940a18fd',1,'0cd32a9b-c157-4034-8998-999cb14610fc','earlier-machine',4468,'172040','2026-11-30T15:21:19.249438+00:00','2026-11-30T15:21:19.297720+00:00','2026-11-30T15:21:20.168268+00:00','{"before": {"jimmy/default": {"balance": "10000.24", "used_coin": "0.24", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0.24", "available_quota": "0", "unlimited": "true"}}, "after": {"jimmy/default": {"balance": "10000.36", "used_coin": "0.36", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0.36", "available_quota": "0", "unlimited": "true"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('653f75fb-2401-459a-9e70-a6a2d220dbcf',1,NULL,'earlier-machine',4468,'172040','2026-11-30T15:21:28.090600+00:00','2026-11-30T15:21:28.137446+00:00','2026-11-30T15:21:28.190509+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('b7f44d35-c998-4d38-b7a5-7d8440cfead8',1,NULL,'earlier-machine',4468,'172040','2026-11-30T15:21:28.832036+00:00','2026-11-30T15:21:28.887096+00:00','2026-11-30T15:21:29.042569+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('4da955ec-0d5a-4f82-9ef6-b35c327a1dec',1,NULL,'earlier-machine',4468,'172040','2026-11-30T15:21:31.204955+00:00','2026-11-30T15:21:31.392226+00:00','2026-11-30T15:21:31.619692+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('c530e2e3-c510-4731-9966-910b267928a4',1,NULL,'earlier-machine',4468,'172040','2026-11-30T15:21:32.381320+00:00','2026-11-30T15:21:32.443943+00:00','2026-11-30T15:21:32.689680+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('ba49e191-7971-47a1-982f-30b499569d1b',1,'c965baf8-8f17-4228-b7af-0a0262e15c4f','earlier-machine',4468,'172040','2026-11-30T15:21:35.568896+00:00','2026-11-30T15:21:35.637457+00:00','2026-11-30T15:21:37.345574+00:00','{"before": {"jimmy/default": {"balance": "10000.48", "used_coin": "0.48", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0.48", "available_quota": "0", "unlimited": "true"}}, "after": {"jimmy/default": {"balance": "10000.6", "used_coin": "0.6", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0.6", "available_quota": "0", "unlimited": "true"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('33ef4e77-7012-4d9f-afc2-7e60e6afc9eb',1,'5bd184e4-c389-4e90-b077-1d66cd4b1d27','earlier-machine',4468,'172040','2026-11-30T15:21:43.353366+00:00','2026-11-30T15:21:43.463262+00:00','2026-11-30T15:21:43.986734+00:00','{"before": {"jimmy/default": {"balance": "10000.6", "used_coin": "0.6", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0.6", "available_quota": "0", "unlimited": "true"}}, "after": {"jimmy/default": {"balance": "10000.72", "used_coin": "0.72", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0.72", "available_quota": "0", "unlimited": "true"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('fcee47cb-bdf8-4df6-a961-18099de54e69',1,'93d5616b-3d00-4eeb-8b7a-b58f54abc474','earlier-machine',4468,'172040','2026-11-30T15:21:49.605492+00:00','2026-11-30T15:21:49.676047+00:00','2026-11-30T15:21:49.958710+00:00','{"before": {"jimmy/default": {"balance": "10000.72", "used_coin": "0.72", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0.72", "available_quota": "0", "unlimited": "true"}}, "after": {"jimmy/default": {"balance": "10000.72", "used_coin": "0.72", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0.72", "available_quota": "0", "unlimited": "true"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('2b62474d-280d-4cd9-9936-5bc1271e0d48',1,'1eff85fc-5028-4192-b2ff-60a1f25ffb14','earlier-machine',4468,'172040','2026-11-30T15:21:53.750219+00:00','2026-11-30T15:21:53.853592+00:00','2026-11-30T15:21:54.213013+00:00','{"before": {"jimmy/default": {"balance": "10000.72", "used_coin": "0.72", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0.72", "available_quota": "0", "unlimited": "true"}}, "after": {"jimmy/default": {"balance": "10000.84", "used_coin": "0.84", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0.84", "available_quota": "0", "unlimited": "true"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('07f51081-acc3-4522-8e0d-efd529447c9d',1,'ee0baf6a-af19-446c-ba51-2359c95b52ac','earlier-machine',4468,'172040','2026-11-30T15:21:57.289782+00:00','2026-11-30T15:21:57.334906+00:00','2026-11-30T15:21:57.684995+00:00','{"before": {"jimmy/default": {"balance": "10000.84", "used_coin": "0.84", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0.84", "available_quota": "0", "unlimited": "true"}}, "after": {"jimmy/default": {"balance": "10000.96", "used_coin": "0.96", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0.96", "available_quota": "0", "unlimited": "true"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('6ad64937-a15a-4c1f-90be-30f05a87a893',1,'e9064d51-fc6a-4b88-924e-c745514ec5c9','earlier-machine',4468,'172040','2026-11-30T15:22:02.718115+00:00','2026-11-30T15:22:02.824467+00:00','2026-11-30T15:22:03.199390+00:00','{"before": {"jimmy/default": {"balance": "10000.96", "used_coin": "0.96", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0.96", "available_quota": "0", "unlimited": "true"}}, "after": {"jimmy/default": {"balance": "10000.96", "used_coin": "0.96", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0.96", "available_quota": "0", "unlimited": "true"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('17d9af85-05c7-4edf-8747-1b98c34b629d',1,'04bd5809-52a1-4416-a432-bc46f170b909','earlier-machine',4468,'172040','2026-11-30T15:22:13.542765+00:00','2026-11-30T15:22:13.589513+00:00','2026-11-30T15:22:14.179840+00:00','{"before": {"jimmy/default": {"balance": "10000.96", "used_coin": "0.96", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "0.96", "available_quota": "0", "unlimited": "true"}}, "after": {"jimmy/default": {"balance": "10001.08", "used_coin": "1.08", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "1.08", "available_quota": "0", "unlimited": "true"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('61098880-fb7e-4b46-b8f3-456799b0968b',1,'1da81f3e-0ecb-4e9d-9e5c-e0d099d42503','earlier-machine',4468,'172040','2026-11-30T15:22:17.625353+00:00','2026-11-30T15:22:17.676456+00:00','2026-11-30T15:22:18.323653+00:00','{"before": {"jimmy/default": {"balance": "10001.08", "used_coin": "1.08", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "1.08", "available_quota": "0", "unlimited": "true"}}, "after": {"jimmy/default": {"balance": "10001.2", "used_coin": "1.2", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "1.2", "available_quota": "0", "unlimited": "true"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('0cafb50f-a2ae-4e9a-b840-c562af4571fb',1,'57b6bab9-44f8-4a1c-8df4-48c2aa70d503','earlier-machine',4468,'172040','2026-11-30T15:22:21.864644+00:00','2026-11-30T15:22:21.934118+00:00','2026-11-30T15:22:22.696945+00:00','{"before": {"jimmy/default": {"balance": "10001.2", "used_coin": "1.2", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "1.2", "available_quota": "0", "unlimited": "true"}}, "after": {"jimmy/default": {"balance": "10001.32", "used_coin": "1.32", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "1.32", "available_quota": "0", "unlimited": "true"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('c16917f9-53b2-4505-bcc9-dec61a8d06ba',1,'08af2953-f19a-46fe-9f0c-2ae5edb9b126','earlier-machine',4468,'172040','2026-11-30T15:22:26.284138+00:00','2026-11-30T15:22:26.364144+00:00','2026-11-30T15:22:26.452239+00:00','{"before": {"jimmy/default": {"balance": "10001.32", "used_coin": "1.32", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "1.32", "available_quota": "0", "unlimited": "true"}}, "after": {"jimmy/default": {"balance": "10001.32", "used_coin": "1.32", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "1.32", "available_quota": "0", "unlimited": "true"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('23018d57-0cf7-48e6-8c67-5e11a3613f95',1,'24933082-b500-494b-8809-fea2ca3eb3c6','earlier-machine',4468,'172040','2026-11-30T15:22:29.433426+00:00','2026-11-30T15:22:29.520181+00:00','2026-11-30T15:22:29.707071+00:00','{"before": {"jimmy/default": {"balance": "10001.32", "used_coin": "1.32", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "1.32", "available_quota": "0", "unlimited": "true"}}, "after": {"jimmy/default": {"balance": "10001.32", "used_coin": "1.32", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "1.32", "available_quota": "0", "unlimited": "true"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('53c0287c-0ded-4da5-aca1-cf58da4007a5',1,'70ebf082-d0c8-4f52-8dd7-30b327216261','earlier-machine',4468,'172040','2026-11-30T15:22:32.735350+00:00','2026-11-30T15:22:32.763934+00:00','2026-11-30T15:22:33.913718+00:00','{"before": {"jimmy/default": {"balance": "10001.32", "used_coin": "1.32", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "1.32", "available_quota": "0", "unlimited": "true"}}, "after": {"jimmy/default": {"balance": "10001.32", "used_coin": "1.32", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "1.32", "available_quota": "0", "unlimited": "true"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('0c195074-8674-4323-99d0-9ed9a902e247',1,'dc9c7191-86d3-4b02-a1ea-ec378a1ca029','earlier-machine',4468,'172040','2026-11-30T15:22:37.163397+00:00','2026-11-30T15:22:37.204343+00:00','2026-11-30T15:22:37.263264+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('7d123bd0-a5b6-454e-b72f-c6aa6805a31a',1,'c3a8f22b-65fc-4e22-a2e9-19d622bf415c','earlier-machine',4468,'172040','2026-11-30T15:22:40.620079+00:00','2026-11-30T15:22:40.655470+00:00','2026-11-30T15:22:40.775704+00:00','{"before": {"jimmy/default": {"balance": "0.01", "used_coin": "1.32", "available": "-1.31", "name": "sandbox …dbox", "total_quota": "0.01", "used_quota": "1.32", "available_quota": "-1.31", "unlimited": "false"}}, "after": {"jimmy/default": {"balance": "0.01", "used_coin": "1.32", "available": "-1.31", "name": "sandbox …dbox", "total_quota": "0.01", "used_quota": "1.32", "available_quota": "-1.31", "unlimited": "false"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('3b52cbbe-ff1f-4bd7-870c-c3900a69d2a1',1,'620ea1ea-5744-48c0-b23c-e3a76ca5ddb5','earlier-machine',4468,'172040','2026-11-30T15:22:43.576854+00:00','2026-11-30T15:23:28.614829+00:00','2026-11-30T15:23:32.208848+00:00','{"before": {"jimmy/default": {"balance": "10001.32", "used_coin": "1.32", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "1.32", "available_quota": "0", "unlimited": "true"}}, "after": {"jimmy/default": {"balance": "10001.32", "used_coin": "1.32", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "1.32", "available_quota": "0", "unlimited": "true"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('a49a0bb6-56e6-4731-91f3-6bfc6c1d8b2a',1,'f886b5da-eb22-4003-84dd-4a6a5b1b0771','earlier-machine',4468,'172040','2026-11-30T15:23:37.739905+00:00','2026-11-30T15:24:22.838508+00:00','2026-11-30T15:24:26.470836+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('0a3f15d2-2104-463d-84c6-d96ca9967634',1,'70e8a973-1675-4246-b5b4-05854d88351f','earlier-machine',8105,'199699','2026-11-30T15:25:33.491530+00:00','2026-11-30T15:25:33.544333+00:00','2026-11-30T15:26:34.817770+00:00',NULL,120.0,'2026-11-30T15:26:34.817779+00:00');
INSERT INTO "seedance_runs" VALUES('66dbcb97-77cd-4d51-91ee-33d656749dfa',1,'15b48d8c-ef86-4180-b25b-5f2098271fa2','earlier-machine',9042,'206420','2026-11-30T15:26:34.641543+00:00','2026-11-30T15:26:34.764686+00:00',NULL,NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('a5a456dc-6c28-4507-807c-175322c7e771',2,NULL,'earlier-machine',4468,'172040','2026-11-30T15:26:38.657380+00:00','2026-11-30T15:26:38.836368+00:00','2026-11-30T15:26:39.022516+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('f909c3b2-7e3f-4f1e-9fc8-e73c907272a9',2,NULL,'earlier-machine',4468,'172040','2026-11-30T15:26:39.693720+00:00','2026-11-30T15:26:39.744294+00:00','2026-11-30T15:26:39.958495+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('ada53e86-bbd7-411f-a24f-2b98da867e77',2,NULL,'earlier-machine',4468,'172040','2026-11-30T15:26:40.742296+00:00','2026-11-30T15:26:40.800256+00:00','2026-11-30T15:26:42.837918+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('7b64107b-0327-4ad6-b5f6-804fb619956b',2,NULL,'earlier-machine',4468,'172040','2026-11-30T15:26:43.296536+00:00','2026-11-30T15:26:43.329670+00:00','2026-11-30T15:26:43.390328+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('f15874ec-5547-4389-9d4b-2d004eff56dc',2,NULL,'earlier-machine',4468,'172040','2026-11-30T15:26:43.726618+00:00','2026-11-30T15:26:43.801882+00:00','2026-11-30T15:26:44.044584+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('9e19086b-d81f-4f99-862e-23aaeb570f4b',2,NULL,'earlier-machine',4468,'172040','2026-11-30T15:26:44.721159+00:00','2026-11-30T15:26:44.816312+00:00','2026-11-30T15:26:44.901437+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('0c6ec6f6-1931-446a-b468-710bd5f23da0',3,'8ed9c192-f70d-4099-93b1-e25a4d8b8898','earlier-machine',4468,'172040','2026-11-30T15:26:49.621738+00:00','2026-11-30T15:26:49.672967+00:00','2026-11-30T15:26:50.254573+00:00','{"before": {"jimmy/default": {"balance": "10001.92", "used_coin": "1.92", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "1.92", "available_quota": "0", "unlimited": "true"}}, "after": {"jimmy/default": {"balance": "10002.04", "used_coin": "2.04", "available": "10000", "name": "sandbox …dbox", "total_quota": "0", "used_quota": "2.04", "available_quota": "0", "unlimited": "true"}}}',120.0,NULL);
INSERT INTO "seedance_runs" VALUES('7139ee7d-cdad-438c-a311-4fa0fdb0715a',3,NULL,'earlier-machine',4468,'172040','2026-11-30T15:26:53.125487+00:00','2026-11-30T15:26:53.125487+00:00','2026-11-30T15:26:53.202815+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('d65ace7d-35c6-4e8b-97b3-86cd19defeb4',3,NULL,'earlier-machine',4468,'172040','2026-11-30T15:26:54.954282+00:00','2026-11-30T15:26:55.092374+00:00','2026-11-30T15:26:55.150112+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('a345b94e-587b-42d7-82fd-5ee58705ec9e',3,NULL,'earlier-machine',4468,'172040','2026-11-30T15:26:56.678921+00:00','2026-11-30T15:26:56.776177+00:00','2026-11-30T15:26:56.857425+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('353a7a0c-47ee-460f-a3ec-2c95072bf5dc',3,NULL,'earlier-machine',4468,'172040','2026-11-30T15:26:58.594226+00:00','2026-11-30T15:26:58.722202+00:00','2026-11-30T15:26:58.861646+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('d0995320-32b7-41c5-a7c5-86a3cc586fff',3,NULL,'earlier-machine',4468,'172040','2026-11-30T15:26:59.459673+00:00','2026-11-30T15:26:59.517815+00:00','2026-11-30T15:26:59.661082+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('81e5839b-d690-4d49-a3da-9fd8ca296b86',3,NULL,'earlier-machine',4468,'172040','2026-11-30T15:27:01.134810+00:00','2026-11-30T15:27:01.220467+00:00','2026-11-30T15:27:01.338089+00:00',NULL,120.0,NULL);
INSERT INTO "seedance_runs" VALUES('7f8df7e6-d764-4199-8584-32310ea07dc9',3,NULL,'earlier-machine',4468,'172040','2026-11-30T15:27:01.937446+00:00','2026-11-30T15:27:01.982565+00:00','2026-11-30T15:27:02.005253+00:00',NULL,120.0,NULL);
CREATE TABLE seedance_seats (
	id VARCHAR NOT NULL, 
	provider VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	host VARCHAR NOT NULL, 
	pid INTEGER NOT NULL, 
	process_started VARCHAR NOT NULL, 
	lease FLOAT NOT NULL, 
	seen_at VARCHAR NOT NULL, 
	held JSON NOT NULL, 
	wanted JSON NOT NULL, 
	ceilings JSON NOT NULL, 
	granted JSON NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE seedance_sums (
	batch_id INTEGER NOT NULL, 
	currency VARCHAR NOT NULL, 
	committed VARCHAR NOT NULL, 
	PRIMARY KEY (batch_id, currency), 
	FOREIGN KEY(batch_id) REFERENCES seedance_batches (id)
);
INSERT INTO "seedance_sums" VALUES(1,'CNY','4.4810435');
INSERT INTO "seedance_sums" VALUES(2,'CNY','0.36');
INSERT INTO "seedance_sums" VALUES(3,'CNY','0.4800000');
CREATE TABLE seedance_writers (
	id VARCHAR NOT NULL, 
	number BIGINT NOT NULL, 
	seen_at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_seedance_runs_batch_id ON seedance_runs (batch_id);
CREATE INDEX seedance_rows_by_holder ON seedance_rows (holder);
CREATE INDEX seedance_rows_in_flight ON seedance_rows (provider, account) WHERE state IN ('sent', 'created');
CREATE INDEX seedance_rows_by_state ON seedance_rows (batch_id, state);
CREATE INDEX ix_seedance_materials_holder ON seedance_materials (holder);
CREATE INDEX ix_seedance_attempts_run_id ON seedance_attempts (run_id);
CREATE INDEX ix_seedance_attempts_job_id ON seedance_attempts (job_id);
CREATE INDEX ix_seedance_attempts_row_id ON seedance_attempts (row_id);
CREATE INDEX ix_seedance_asset_requests_material_id ON seedance_asset_requests (material_id);
CREATE INDEX ix_seedance_asset_requests_batch_id ON seedance_asset_requests (batch_id);
CREATE INDEX ix_seedance_asset_requests_run_id ON seedance_asset_requests (run_id);
COMMIT;
